/** Work of one kind, one piece at a time, beside the other lanes: what is slow here holds up nothing there. */

export type Lane = {
  readonly isIdle: () => boolean;
  /** Starts `work` and occupies `links` until it ends; to be called only when idle. */
  readonly start: (links: readonly string[], work: () => Promise<void>) => void;
  /** The links under change. */
  readonly busy: () => readonly string[];
  /** What the last piece of work failed with, if it did. */
  readonly trouble: () => unknown;
  /** Resolves when the running work, if any, has ended. */
  readonly settled: () => Promise<void>;
};

/** @param ended called after each piece of work, with its error if it failed */
export const openLane = (ended: (error?: unknown) => void): Lane => {
  let running: { readonly links: readonly string[]; readonly done: Promise<void> } | undefined;
  let trouble: unknown;
  const end = (error?: unknown): void => {
    running = undefined;
    trouble = error;
    ended(error);
  };
  return {
    isIdle: () => running === undefined,
    start: (links, work) => {
      running = { links, done: work().then(() => end(), end) };
    },
    busy: () => running?.links ?? [],
    trouble: () => trouble,
    settled: () => running?.done ?? Promise.resolve(),
  };
};
