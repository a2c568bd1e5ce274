/** An rxjs operator that never runs its work twice at once. A trigger during a run causes one more run. */
import {
  concat,
  defer,
  EMPTY,
  exhaustMap,
  finalize,
  from,
  ignoreElements,
  type Observable,
  type OperatorFunction,
  Subject,
  throttle,
  timer,
} from 'rxjs';
import { systemClock } from './clock.ts';

/** A vif needs a few short runs to come up. Runs of 12 ms in total follow each other without a rest. */
const burstMs = 12;
/** The longest rest, after a run of any length. */
const maxRestMs = 5;

/** Returns the rest after a run, in ms. It is 0 unless the recent runs took more than half of the time. */
const makeRest = (now: () => number): ((startedAt: number) => number) => {
  let excessMs = 0;
  let endedAt = now();
  return (startedAt) => {
    const idleMs = startedAt - endedAt;
    endedAt = now();
    excessMs = Math.max(0, excessMs - idleMs) + (endedAt - startedAt);
    return Math.min(Math.max(0, excessMs - burstMs), maxRestMs);
  };
};

/**
 * Runs `work` at each trigger, one run at a time. Under many triggers it rests after each run, so that the
 * event loop can finish what that run has started.
 */
export const singleFlight =
  <T>(work: () => Promise<T>): OperatorFunction<unknown, T> =>
  (triggers: Observable<unknown>): Observable<T> =>
    defer(() => {
      const idle = new Subject<void>();
      const restAfter = makeRest(systemClock.now);
      const timedRun = defer(() => {
        const startedAt = systemClock.now();
        const rest = defer(() => {
          const restMs = restAfter(startedAt);
          return restMs === 0 ? EMPTY : timer(restMs);
        });
        return concat(from(work()), rest.pipe(ignoreElements()));
      });
      return triggers.pipe(
        throttle(() => idle, { leading: true, trailing: true }),
        exhaustMap(() => timedRun.pipe(finalize(() => idle.next()))),
      );
    });
