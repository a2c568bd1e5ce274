/** Runs a step at each trigger, and again after a failure. */

import { ignoreElements, merge, type Observable, Subject, switchMap, timer } from 'rxjs';
import { delayAfter } from '../../system/backoff.ts';
import { singleFlight } from '../../system/single-flight.ts';
import { isRefusal } from '../../xen/refusal.ts';
import type { XenstoreError } from '../../xen/xenstore.ts';
import { VchanError } from '../vchan/vchan-error.ts';

const delays = { firstMs: 250, longestMs: 5_000 };

/** Whether the error may pass, such as a full quota or a lack of grants. A lost connection does not pass. */
const isTransient = (error: unknown): error is VchanError | XenstoreError =>
  error instanceof VchanError || isRefusal(error);

/** The errors with which C xenstored and oxenstored report a full quota. */
const quotas: readonly string[] = ['ENOSPC', 'EQUOTA', 'E2BIG', 'EINVAL'];

const describe = (error: VchanError | XenstoreError): string => {
  if (error instanceof VchanError) return `${error.code}: ${error.message}`;
  if (!quotas.includes(error.code)) return error.message;
  return `${error.message}: likely this VM's xenstore quota is full; raise it in dom0 (xenstored -E, or quota-maxentity in oxenstored.conf)`;
};

/**
 * Runs `step` at each trigger, never twice at once. After a failure that may pass, it runs `step` again with
 * a growing delay. Errors with any other failure.
 * @param report receives the reason for a failure, or undefined after a success
 */
export const retryOnTrigger = (
  triggers: Observable<unknown>,
  step: () => Promise<void>,
  report: (reason: string | undefined) => void,
): Observable<never> => {
  const retries = new Subject<number>();
  let failures = 0;
  const run = async (): Promise<void> => {
    try {
      await step();
      failures = 0;
      report(undefined);
    } catch (error) {
      if (!isTransient(error)) throw error;
      report(describe(error));
      failures += 1;
      retries.next(delayAfter(failures, delays));
    }
  };
  return merge(triggers, retries.pipe(switchMap((ms) => timer(ms)))).pipe(
    singleFlight(run),
    ignoreElements(),
  );
};
