/** Limits the number of calls that run at a time, per key. */
import { deferred } from '../../system/deferred.ts';
import { RefusedError } from './refused-error.ts';

/** The places that one call takes. */
export type Reservation = {
  /**
   * Takes a place of the key.
   * @throws RefusedError if all `limit` places are taken
   */
  readonly acquire: (key: string, limit: number) => void;
  /** Gives back all places. It must be called once. */
  readonly release: () => void;
};

export type ConcurrencyLimits = {
  readonly reserve: () => Reservation;
  /** Resolves when no call has a reservation, including calls that begin meanwhile. */
  readonly whenIdle: () => Promise<void>;
};

export const openConcurrencyLimits = (): ConcurrencyLimits => {
  const counts = new Map<string, number>();
  const reservations = new Set<Promise<void>>();
  const add = (key: string, change: 1 | -1): void => {
    const count = (counts.get(key) ?? 0) + change;
    if (count === 0) counts.delete(key);
    else counts.set(key, count);
  };
  const reserve = (): Reservation => {
    const keys: string[] = [];
    const released = deferred<void>();
    reservations.add(released.promise);
    return {
      acquire: (key, limit) => {
        if ((counts.get(key) ?? 0) >= limit) {
          throw new RefusedError('busy', `${limit} calls of ${key} run already`);
        }
        add(key, 1);
        keys.push(key);
      },
      release: () => {
        for (const key of keys) add(key, -1);
        reservations.delete(released.promise);
        released.resolve();
      },
    };
  };
  return {
    reserve,
    whenIdle: async () => {
      while (reservations.size > 0) await Promise.all(reservations);
    },
  };
};
