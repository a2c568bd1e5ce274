/** The reasons that end a call before its service ends. */
import { systemClock, type Timer } from '../../system/clock.ts';
import type { Pumped } from './pump.ts';
import type { ServiceConfig } from './service-config.ts';

type StopReason =
  | { readonly kind: 'cancelled' }
  /** `text` is for the log. */
  | { readonly kind: 'too-long'; readonly text: string };

/**
 * 128 + SIGTERM: the exit status of a service that the agent ended, unless the service itself exits with a
 * failure.
 */
export const stoppedStatus = 143;
/** 128 + SIGKILL. */
export const killedStatus = 137;

type Silence = { readonly since: Promise<void>; readonly close: () => void };

/** The number of samples within the time: the end is noticed at most a quarter of the time late. */
const looks = 4;

/** Resolves when `sample` has returned the same value for `ms`. A fresh symbol never equals another value. */
export const unchangedFor = (ms: number, sample: () => unknown): Silence => {
  let last = sample();
  let same = 0;
  let timer: Timer | undefined;
  const close = (): void => timer?.cancel();
  const since = new Promise<void>((resolve) => {
    timer = systemClock.every(ms / looks, () => {
      const now = sample();
      same = now === last ? same + 1 : 0;
      last = now;
      if (same < looks) return;
      close();
      resolve();
    });
  });
  return { since, close };
};

type Watch = { readonly stopped: Promise<StopReason>; readonly close: () => void };

/**
 * Watches for a reason to stop the call.
 * @param input if it breaks off, the caller has gone
 * @param bytesMoved the sum of all directions
 */
export const watchForStop = (
  cancelled: AbortSignal,
  config: ServiceConfig,
  input: Promise<Pumped>,
  bytesMoved: () => number,
): Watch => {
  const { 'max-runtime': runtime, 'idle-timeout': idle } = config;
  const rests = idle === undefined ? undefined : unchangedFor(idle * 1000, bytesMoved);
  let runs: Timer | undefined;
  let cancel = (): void => undefined;
  const stopped = new Promise<StopReason>((resolve) => {
    const stop = (text: string) => (): void => resolve({ kind: 'too-long', text });
    cancel = () => resolve({ kind: 'cancelled' });
    if (cancelled.aborted) cancel();
    cancelled.addEventListener('abort', cancel, { once: true });
    void input.then((how) => {
      if (how === 'broken') cancel();
    });
    if (runtime !== undefined)
      runs = systemClock.after(runtime * 1000, stop(`ended after ${runtime} s (max-runtime)`));
    void rests?.since.then(stop(`ended: no byte moved for ${idle} s (idle-timeout)`));
  });
  return {
    stopped,
    close: () => {
      cancelled.removeEventListener('abort', cancel);
      runs?.cancel();
      rests?.close();
    },
  };
};
