/**
 * A worker runs one piece of work at a time. The workers run side by side, so slow work delays no other
 * worker.
 */

import type { LinkName } from '../../address/link-name.ts';
import type { Plan } from '../plan/plan.ts';

/** Called after each piece of work, with its error if it failed. */
export type WorkEnd = (error?: unknown) => void;

export type Worker = {
  readonly isIdle: () => boolean;
  /**
   * Starts `work` and marks `links` as busy until it ends. The caller calls it only while the worker is idle.
   */
  readonly start: (links: readonly LinkName[], work: () => Promise<void>) => void;
  /** The links that the running work changes. */
  readonly busy: () => readonly LinkName[];
  /** The error of the work that ended last; undefined if that succeeded. */
  readonly lastError: () => unknown;
  /** Resolves when the running work, if any, has ended. */
  readonly settled: () => Promise<void>;
};

/** Takes its steps from plans, and runs them with its workers. */
export type PlanWorker = {
  readonly workers: readonly Worker[];
  /** Starts the steps whose worker is idle; a later pass plans the other steps again. */
  readonly start: (todo: Plan) => void;
};

export const openWorker = (ended: WorkEnd): Worker => {
  let running: { readonly links: readonly LinkName[]; readonly done: Promise<void> } | undefined;
  let lastError: unknown;
  const end = (error?: unknown): void => {
    running = undefined;
    lastError = error;
    ended(error);
  };
  return {
    isIdle: () => running === undefined,
    start: (links, work) => {
      running = { links, done: work().then(() => end(), end) };
    },
    busy: () => running?.links ?? [],
    lastError: () => lastError,
    settled: () => running?.done ?? Promise.resolve(),
  };
};
