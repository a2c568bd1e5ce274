/** Work that failed, by what it was for: its problem, and the time at which it is tried again. */

import { delayAfter } from '../../system/backoff.ts';

export type FailedAttempts<Key, Failure> = {
  /** Records a failed attempt. The wait before the next one doubles, up to 30 s. */
  readonly failed: (key: Key, failure: Failure) => void;
  readonly succeeded: (key: Key) => void;
  /** Forgets the failures of all other keys. */
  readonly keepOnly: (keys: ReadonlySet<Key>) => void;
  /** False while the work waits for its next attempt. */
  readonly mayTry: (key: Key) => boolean;
  /** The failure of the last attempt; undefined if it succeeded. */
  readonly failureOf: (key: Key) => Failure | undefined;
  readonly failures: () => readonly Failure[];
  /** The ms until the next attempt that must wait; undefined if none must. */
  readonly dueInMs: () => number | undefined;
};

const retries = { firstMs: 100, longestMs: 30_000 };

/** @param now milliseconds of a monotonic clock */
export const openFailedAttempts = <Key, Failure>(
  now: () => number,
): FailedAttempts<Key, Failure> => {
  const all = new Map<
    Key,
    { readonly failure: Failure; readonly attempts: number; readonly retryAt: number }
  >();
  return {
    failed: (key, failure) => {
      const attempts = (all.get(key)?.attempts ?? 0) + 1;
      all.set(key, { failure, attempts, retryAt: now() + delayAfter(attempts, retries) });
    },
    succeeded: (key) => all.delete(key),
    keepOnly: (keys) => {
      for (const key of all.keys()) if (!keys.has(key)) all.delete(key);
    },
    mayTry: (key) => (all.get(key)?.retryAt ?? 0) <= now(),
    failureOf: (key) => all.get(key)?.failure,
    failures: () => [...all.values()].map(({ failure }) => failure),
    dueInMs: () => {
      const later = [...all.values()].map(({ retryAt }) => retryAt - now()).filter((ms) => ms > 0);
      return later.length === 0 ? undefined : Math.min(...later);
    },
  };
};
