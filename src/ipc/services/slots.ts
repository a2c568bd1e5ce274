/** How many calls run at a time, by whatever they are to be counted by. */
import { RefusedError } from './refused.ts';

/** The places of one call. */
export type Hold = {
  /** Throws RefusedError if all `limit` are taken. */
  readonly take: (key: string, limit: number) => void;
  /** Gives back all that were taken; to be called once. */
  readonly release: () => void;
};

export type Slots = {
  readonly hold: () => Hold;
  /** When no call holds anything; also of those that begin meanwhile. */
  readonly empty: () => Promise<void>;
};

export const openSlots = (): Slots => {
  const counts = new Map<string, number>();
  const holds = new Set<Promise<void>>();
  const add = (key: string, change: 1 | -1): void => {
    const count = (counts.get(key) ?? 0) + change;
    if (count === 0) counts.delete(key);
    else counts.set(key, count);
  };
  const hold = (): Hold => {
    const keys: string[] = [];
    let resolve = (): void => undefined;
    const released = new Promise<void>((settle) => {
      resolve = settle;
    });
    holds.add(released);
    return {
      take: (key, limit) => {
        if ((counts.get(key) ?? 0) >= limit) {
          throw new RefusedError('busy', `${limit} calls of ${key} run already`);
        }
        add(key, 1);
        keys.push(key);
      },
      release: () => {
        for (const key of keys) add(key, -1);
        holds.delete(released);
        resolve();
      },
    };
  };
  return {
    hold,
    empty: async () => {
      while (holds.size > 0) await Promise.all(holds);
    },
  };
};
