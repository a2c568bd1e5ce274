/** A race between work and the clock. */
import { type Clock, systemClock } from './clock.ts';

/**
 * Settles as the work does; if the work takes longer than `ms`, settles as `late` does instead. The work goes
 * on then, and its outcome is ignored. The timer does not keep the process alive.
 * @param late returns the result of late work, or throws
 */
export const within = <T, L>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  late: () => L,
): Promise<T | L> =>
  new Promise((resolve, reject) => {
    const timer = clock
      .after(ms, () => {
        try {
          resolve(late());
        } catch (error) {
          reject(error);
        }
      })
      .unref();
    work.then(resolve, reject).finally(() => timer.cancel());
  });

/** Settles as the work does. Rejects with an Error if the work takes longer than `ms`. */
export const answerWithin = <T>(ms: number, work: Promise<T>): Promise<T> =>
  within(systemClock, ms, work, () => {
    throw new Error(`no answer within ${ms / 1000} s`);
  });
