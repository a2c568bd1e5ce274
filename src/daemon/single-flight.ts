/** The one custom operator: never two runs at once, and a trigger during a run is followed by one more run. */
import {
  defer,
  exhaustMap,
  finalize,
  from,
  type Observable,
  type OperatorFunction,
  Subject,
  throttle,
} from 'rxjs';

export const singleFlight = <T>(work: () => Promise<T>): OperatorFunction<unknown, T> => {
  return (triggers: Observable<unknown>): Observable<T> =>
    defer(() => {
      const idle = new Subject<void>();
      return triggers.pipe(
        throttle(() => idle, { leading: true, trailing: true }),
        exhaustMap(() => defer(() => from(work())).pipe(finalize(() => idle.next()))),
      );
    });
};
