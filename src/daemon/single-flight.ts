/** The one custom operator: never two runs at once, and a trigger during a run is followed by one more run. */
import {
  concat,
  defer,
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

/** However long a run took, the next one is not held back for longer. */
const maxRestMs = 20;

/**
 * After each run comes a rest as long as the run itself, so that a crowd of triggers never takes more
 * than half of the time, and what one run starts is not starved by the next.
 */
export const singleFlight = <T>(work: () => Promise<T>): OperatorFunction<unknown, T> => {
  const timedRun = (): Observable<T> =>
    defer(() => {
      const start = performance.now();
      const rest = defer(() => timer(Math.min(performance.now() - start, maxRestMs)));
      return concat(from(work()), rest.pipe(ignoreElements()));
    });
  return (triggers: Observable<unknown>): Observable<T> =>
    defer(() => {
      const idle = new Subject<void>();
      return triggers.pipe(
        throttle(() => idle, { leading: true, trailing: true }),
        exhaustMap(() => timedRun().pipe(finalize(() => idle.next()))),
      );
    });
};
