/** The one custom operator: never two runs at once, and a trigger during a run is followed by one more run. */
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

/** One vif comes up within it: its few runs need not wait for each other. */
const burstMs = 12;
/** However long a run took, the next one is not held back for longer. */
const maxRestMs = 5;

/** How long to rest after a run, in ms: not at all, unless the runs of late have taken more than half of the time. */
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

/** In a crowd of triggers there is a rest after each run, so that what one run starts is not starved by the next. */
export const singleFlight =
  <T>(work: () => Promise<T>): OperatorFunction<unknown, T> =>
  (triggers: Observable<unknown>): Observable<T> =>
    defer(() => {
      const idle = new Subject<void>();
      const restAfter = makeRest(() => performance.now());
      const timedRun = defer(() => {
        const startedAt = performance.now();
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
