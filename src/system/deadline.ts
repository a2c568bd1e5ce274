/** A race between work and the clock. */
import { type Clock, systemClock, type Timer } from './clock.ts';

/**
 * Milliseconds for an answer of a program in this domain or of xenstored, if a user waits for it. An
 * emulated VM beside ten others took more than 10 s for all of an audit; only a hung program takes longer.
 */
export const answerMs = 15_000;

/**
 * Calls back once, when `ms` have passed. A process that was stopped or starved finds its timers due before
 * it sees what came meanwhile; so after a stop, the last tenth of the time begins again.
 */
export const afterDeadline = (clock: Clock, ms: number, callback: () => void): Timer => {
  const lastLookMs = ms / 10;
  let isKept = true;
  const wait = (waitMs: number, end: () => void): Timer => {
    const dueAt = clock.now() + waitMs;
    const started = clock.after(waitMs, () => {
      if (clock.now() - dueAt > lastLookMs) timer = wait(lastLookMs, end);
      else end();
    });
    return isKept ? started : started.unref();
  };
  let timer = wait(ms - lastLookMs, () => {
    timer = wait(lastLookMs, callback);
  });
  const deadline: Timer = {
    cancel: () => timer.cancel(),
    unref: () => {
      isKept = false;
      timer.unref();
      return deadline;
    },
  };
  return deadline;
};

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
    const timer = afterDeadline(clock, ms, () => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }).unref();
    work.then(resolve, reject).finally(() => timer.cancel());
  });

/** Settles as the work does. Rejects with an Error if the work takes longer than `ms`. */
export const answerWithin = <T>(ms: number, work: Promise<T>): Promise<T> =>
  within(systemClock, ms, work, () => {
    throw new Error(`no answer within ${ms / 1000} s`);
  });
