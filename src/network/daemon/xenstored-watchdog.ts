/** Detects a dead or hung xenstored, which gives no sign: only a failed or unanswered read shows it. */
import {
  exhaustMap,
  from,
  ignoreElements,
  type Observable,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { VifwatchError } from '../../errors.ts';
import type { Xenstore } from '../../xen/xenstore.ts';

/**
 * A broken socket shows within 3 s, silence within 8 s. Under load, a healthy xenstored can miss a shorter
 * deadline.
 */
const intervalMs = 3_000;
const deadlineMs = 5_000;

const hung = (): VifwatchError => {
  const seconds = deadlineMs / 1000;
  return new VifwatchError('XENSTORE_HUNG', `xenstored has not answered for ${seconds} s`);
};

/** Never emits. Errors with XENSTORE_HUNG, or with the error of the read. */
export const watchXenstored = (store: Xenstore): Observable<never> =>
  timer(intervalMs, intervalMs).pipe(
    exhaustMap(() =>
      from(store.read('domid')).pipe(timeout({ first: deadlineMs, with: () => throwError(hung) })),
    ),
    ignoreElements(),
  );
