/** Work that blocks everybody, a piece at a time, and no key twice while another waits. */
import { setImmediate as nextImmediate } from 'node:timers/promises';

/** Resolves with what `work` returns or rejects with what it throws, once it is its key's turn. */
export type Enqueue = <T>(key: string, work: () => T) => Promise<T>;

export const openFairQueue = (): Enqueue => {
  // In the order of their turns; a key whose turn has come goes to the end.
  const waiting = new Map<string, (() => void)[]>();
  let running = false;

  const runAll = async (): Promise<void> => {
    running = true;
    for (let [next] = waiting; next !== undefined; [next] = waiting) {
      const [key, [first, ...others]] = next;
      waiting.delete(key);
      if (others.length > 0) waiting.set(key, others);
      first?.();
      // What came for others meanwhile is dealt with first.
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
