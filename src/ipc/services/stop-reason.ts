/** What ends a call before its service does. */
import type { Pumped } from './pump.ts';
import type { ServiceConfig } from './service-config.ts';

type StopReason =
  | { readonly kind: 'cancelled' }
  /** `text` is for the log. */
  | { readonly kind: 'too-long'; readonly text: string };

/** 128 + SIGTERM: the exit status of what we ended, unless it left one that tells of trouble itself. */
export const stoppedStatus = 143;
/** 128 + SIGKILL. */
export const killedStatus = 137;

type Timer = { readonly since: Promise<void>; readonly close: () => void };

/** How many times `sample` is looked at in the time: the end is noticed at most a quarter late. */
const looks = 4;

/** Resolves when `sample` has given the same value for `ms`; a fresh symbol is never the same. */
export const unchangedFor = (ms: number, sample: () => unknown): Timer => {
  let last = sample();
  let same = 0;
  let timer: NodeJS.Timeout | undefined;
  const close = (): void => clearInterval(timer);
  const since = new Promise<void>((resolve) => {
    timer = setInterval(() => {
      const now = sample();
      same = now === last ? same + 1 : 0;
      last = now;
      if (same < looks) return;
      close();
      resolve();
    }, ms / looks);
  });
  return { since, close };
};

const after = (ms: number): Timer => {
  let timer: NodeJS.Timeout | undefined;
  const since = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return { since, close: () => clearTimeout(timer) };
};

type Watch = { readonly stopped: Promise<StopReason>; readonly close: () => void };

/** @param input an input that breaks off is a caller that has gone @param bytesMoved in all directions */
export const watchForStop = (
  cancelled: AbortSignal,
  config: ServiceConfig,
  input: Promise<Pumped>,
  bytesMoved: () => number,
): Watch => {
  const { 'max-runtime': runtime, 'idle-timeout': idle } = config;
  const runs = runtime === undefined ? undefined : after(runtime * 1000);
  const rests = idle === undefined ? undefined : unchangedFor(idle * 1000, bytesMoved);
  let cancel = (): void => undefined;
  const stopped = new Promise<StopReason>((resolve) => {
    const stop = (text: string) => (): void => resolve({ kind: 'too-long', text });
    cancel = () => resolve({ kind: 'cancelled' });
    if (cancelled.aborted) cancel();
    cancelled.addEventListener('abort', cancel, { once: true });
    void input.then((how) => {
      if (how === 'broken') cancel();
    });
    void runs?.since.then(stop(`ended after ${runtime} s (max-runtime)`));
    void rests?.since.then(stop(`ended: no byte moved for ${idle} s (idle-timeout)`));
  });
  return {
    stopped,
    close: () => {
      cancelled.removeEventListener('abort', cancel);
      runs?.close();
      rests?.close();
    },
  };
};
