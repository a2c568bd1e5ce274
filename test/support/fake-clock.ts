/** A clock whose time passes only when a test says so. */
import type { Clock, Timer } from '../../src/system/clock.ts';

type Pending = { at: number; readonly everyMs: number | undefined; readonly callback: () => void };

export type FakeClock = Clock & {
  /** Lets `ms` pass, and calls back all timers that are due meanwhile, in the order of their times. */
  readonly advance: (ms: number) => void;
  /** The timers that are neither cancelled nor done. */
  readonly pending: () => number;
};

/** Starts at 0 ms. */
export const createFakeClock = (): FakeClock => {
  let time = 0;
  const timers = new Set<Pending>();

  const start = (ms: number, everyMs: number | undefined, callback: () => void): Timer => {
    const pending: Pending = { at: time + ms, everyMs, callback };
    timers.add(pending);
    const timer: Timer = { cancel: () => timers.delete(pending), unref: () => timer };
    return timer;
  };

  const fire = (pending: Pending): void => {
    time = pending.at;
    if (pending.everyMs === undefined) timers.delete(pending);
    else pending.at += pending.everyMs;
    pending.callback();
  };

  const earliest = (): Pending | undefined => [...timers].sort((a, b) => a.at - b.at)[0];

  return {
    now: () => time,
    after: (ms, callback) => start(ms, undefined, callback),
    every: (ms, callback) => start(ms, ms, callback),
    advance: (ms) => {
      const until = time + ms;
      for (let next = earliest(); next !== undefined && next.at <= until; next = earliest()) {
        fire(next);
      }
      time = until;
    },
    pending: () => timers.size,
  };
};
