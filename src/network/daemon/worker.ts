/** Work of one kind, one piece at a time, beside the other workers: what is slow here holds up nothing there. */

export type Worker = {
  readonly isIdle: () => boolean;
  /** Starts `work` and occupies `links` until it ends; to be called only when idle. */
  readonly start: (links: readonly string[], work: () => Promise<void>) => void;
  /** The links under change. */
  readonly busy: () => readonly string[];
  /** What the last piece of work failed with, if it did. */
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
