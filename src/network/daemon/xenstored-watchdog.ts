/** A dead or hung xenstored signals nothing: only a read that is not answered shows it. */
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

/** A broken socket is found within 3 s, silence within 8 s; a shorter deadline was missed by a healthy store under load. */
const intervalMs = 3_000;
const deadlineMs = 5_000;

const hung = (): VifwatchError => {
  const seconds = deadlineMs / 1000;
  return new VifwatchError('XENSTORE_HUNG', `xenstored has not answered for ${seconds} s`);
};

/** Never emits; errors with XENSTORE_HUNG, or with what the read ended in. */
export const watchXenstored = (store: Xenstore): Observable<never> =>
  timer(intervalMs, intervalMs).pipe(
    exhaustMap(() =>
      from(store.read('domid')).pipe(timeout({ first: deadlineMs, with: () => throwError(hung) })),
    ),
    ignoreElements(),
  );
