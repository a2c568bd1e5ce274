/**
 * Works on keys one at a time in the order of their arrival; a key that is already queued is not queued
 * again.
 */
export type WorkQueue = {
  add(key: string): void;
  /** Starts no further work; running work may fail without consequences. */
  stop(): void;
};

/** Creates a queue. An error from the work is an error of the rig itself and ends the process. */
export const createWorkQueue = (work: (key: string) => Promise<void>): WorkQueue => {
  const waiting = new Set<string>();
  let running = false;
  let stopped = false;

  const drain = async (): Promise<void> => {
    running = true;
    for (const key of waiting) {
      if (stopped) break;
      waiting.delete(key);
      await work(key);
    }
    running = false;
  };
  return {
    add: (key) => {
      waiting.add(key);
      if (running || stopped) return;
      drain().catch((error: unknown) => {
        if (!stopped) throw error;
      });
    },
    stop: () => {
      stopped = true;
    },
  };
};
