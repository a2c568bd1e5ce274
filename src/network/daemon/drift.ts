/** Repairs of what somebody else damaged: each at once, unless it is the same thing over and over. */
import type { Problem } from '../../errors.ts';

const windowMs = 60_000;
const mostInWindow = 5;
const firstRestMs = 1_000;
const lastRestMs = 60_000;

type Repairs = {
  /** Of the last repairs, the newest last. */
  readonly times: readonly number[];
  /** How often it was repaired although that had been too often already. */
  readonly excess: number;
  readonly what: string;
};

export type Drift = {
  /** Notes a repair of `thing`. */
  readonly note: (thing: string, what: string) => void;
  /** How long a thing must be left as it is, ms. */
  readonly restMs: (thing: string) => number;
  readonly problemOf: (thing: string) => Problem | undefined;
};

const backOff = (excess: number): number =>
  excess === 0 ? 0 : Math.min(firstRestMs * 2 ** (excess - 1), lastRestMs);

/** @param now milliseconds on any clock that only goes forward */
export const openDrift = (now: () => number): Drift => {
  const all = new Map<string, Repairs>();

  /** What has been left alone for a minute, although it might have been repaired, is at peace. */
  const find = (thing: string): Repairs | undefined => {
    const repairs = all.get(thing);
    const last = repairs?.times.at(-1);
    if (repairs === undefined || last === undefined) return undefined;
    if (now() - last <= windowMs + backOff(repairs.excess)) return repairs;
    all.delete(thing);
    return undefined;
  };

  return {
    note: (thing, what) => {
      for (const other of all.keys()) if (find(other) !== undefined) break;
      const before = find(thing);
      all.delete(thing);
      const times = [...(before?.times ?? []), now()].slice(-(mostInWindow + 1));
      const isTooOften = times.length > mostInWindow && now() - (times[0] ?? 0) <= windowMs;
      const excess = before?.excess ?? 0;
      all.set(thing, { times, what, excess: isTooOften || excess > 0 ? excess + 1 : 0 });
    },
    restMs: (thing) => {
      const repairs = find(thing);
      if (repairs === undefined) return 0;
      return Math.max(0, (repairs.times.at(-1) ?? 0) + backOff(repairs.excess) - now());
    },
    problemOf: (thing) => {
      const { excess = 0, what } = find(thing) ?? {};
      if (excess === 0) return undefined;
      const rest = backOff(excess) / 1000;
      const text = `somebody undoes it again and again: ${what}; now repaired every ${rest} s at most`;
      return { code: 'DRIFT_FOUGHT', text };
    },
  };
};
