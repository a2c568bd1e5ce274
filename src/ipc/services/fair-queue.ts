/** Runs blocking jobs one at a time. A key gets its next turn only after all other keys that wait. */
import { setImmediate as nextImmediate } from 'node:timers/promises';

/** Runs `work` at its key's turn, and settles with its result or its error. */
export type Enqueue = <T>(key: string, work: () => T) => Promise<T>;

export const openFairQueue = (): Enqueue => {
  // The keys in the order of their turns. After its turn, a key goes to the end.
  const waiting = new Map<string, (() => void)[]>();
  let running = false;

  const runAll = async (): Promise<void> => {
    running = true;
    for (let [next] = waiting; next !== undefined; [next] = waiting) {
      const [key, [first, ...others]] = next;
      waiting.delete(key);
      if (others.length > 0) waiting.set(key, others);
      first?.();
      // Other events are handled before the next job.
      await nextImmediate();
    }
    running = false;
  };

  return (key, work) =>
    new Promise((resolve, reject) => {
      const job = (): void => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      };
      waiting.set(key, [...(waiting.get(key) ?? []), job]);
      if (!running) void runAll();
    });
};
