/** Detects a dead or hung xenstored, which gives no sign: only a failed or unanswered read shows it. */
import { exhaustMap, ignoreElements, type Observable, timer } from 'rxjs';
import { VifwatchError } from '../../errors.ts';
import { systemClock } from '../../system/clock.ts';
import { within } from '../../system/deadline.ts';
import type { Xenstore } from '../../xen/xenstore.ts';

/**
 * A broken socket shows within 3 s, silence within 8 s. Under load, a healthy xenstored can miss a shorter
 * deadline.
 */
const intervalMs = 3_000;
const deadlineMs = 5_000;

const hung = (): never => {
  const seconds = deadlineMs / 1000;
  throw new VifwatchError('XENSTORE_HUNG', `xenstored has not answered for ${seconds} s`);
};

/** Never emits. Errors with XENSTORE_HUNG, or with the error of the read. */
export const watchXenstored = (store: Xenstore): Observable<never> =>
  timer(intervalMs, intervalMs).pipe(
    exhaustMap(() => within(systemClock, deadlineMs, store.read('domid'), hung)),
    ignoreElements(),
  );
