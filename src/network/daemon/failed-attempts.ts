/** Work on a vif that failed: its problem, and the time at which it is tried again. */

import type { Problem } from '../../errors.ts';
import { delayAfter } from '../../system/backoff.ts';
import type { VifKey } from '../vif/backend-vif.ts';

type Failure = { readonly problem: Problem; readonly attempts: number; readonly retryAt: number };

export type FailedAttempts = {
  /** Records a failed attempt. The wait before the next one doubles, up to 30 s. */
  readonly failed: (key: VifKey, problem: Problem) => void;
  readonly succeeded: (key: VifKey) => void;
  /** False while the vif waits for its next attempt. */
  readonly mayTry: (key: VifKey) => boolean;
  readonly problemOf: (key: VifKey) => Problem | undefined;
  /** The vifs whose last attempt failed. */
  readonly keys: () => Iterable<VifKey>;
  /** The times of the next attempts, in ms of the clock. */
  readonly retryTimes: () => readonly number[];
};

const retries = { firstMs: 100, longestMs: 30_000 };

/** @param now milliseconds of a monotonic clock */
export const openFailedAttempts = (now: () => number): FailedAttempts => {
  const failures = new Map<VifKey, Failure>();
  return {
    failed: (key, problem) => {
      const attempts = (failures.get(key)?.attempts ?? 0) + 1;
      failures.set(key, { problem, attempts, retryAt: now() + delayAfter(attempts, retries) });
    },
    succeeded: (key) => failures.delete(key),
    mayTry: (key) => (failures.get(key)?.retryAt ?? 0) <= now(),
    problemOf: (key) => failures.get(key)?.problem,
    keys: () => failures.keys(),
    retryTimes: () => [...failures.values()].map(({ retryAt }) => retryAt),
  };
};
