/**
 * A worker runs one piece of work at a time. The workers run side by side, so slow work delays no other
 * worker.
 */

export type Worker = {
  readonly isIdle: () => boolean;
  /**
   * Starts `work` and marks `links` as busy until it ends. The caller calls it only while the worker is idle.
   */
  readonly start: (links: readonly string[], work: () => Promise<void>) => void;
  /** The links that the running work changes. */
  readonly busy: () => readonly string[];
  /** The error of the work that ended last; undefined if that succeeded. */
  readonly lastError: () => unknown;
  /** Resolves when the running work, if any, has ended. */
  readonly settled: () => Promise<void>;
};

/** @param ended called after each piece of work, with its error if it failed */
export const openWorker = (ended: (error?: unknown) => void): Worker => {
  let running: { readonly links: readonly string[]; readonly done: Promise<void> } | undefined;
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
