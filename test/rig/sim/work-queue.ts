/** Work by key, one at a time, in order of arrival; a key that already waits is not queued twice. */
export type WorkQueue = {
  add(key: string): void;
  /** Nothing starts after this, and what still runs may fail. */
  stop(): void;
};

/** An error thrown by the work is one of the rig itself: it ends the process. */
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
