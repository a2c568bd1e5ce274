/** Doing what is due whenever something changed, and again when it failed. */

import { ignoreElements, merge, type Observable, Subject, switchMap, timer } from 'rxjs';
import { singleFlight } from '../../system/single-flight.ts';
import type { XenstoreError } from '../../xen/xenstore.ts';
import { isRefusal } from '../../xen/xenstore.ts';
import { VchanError } from '../vchan/vchan-error.ts';

const firstMs = 250;
const longestMs = 5_000;

/** What may be otherwise in a moment: a full quota, no free grants; but not a lost connection. */
const isTransient = (error: unknown): error is VchanError | XenstoreError =>
  error instanceof VchanError || isRefusal(error);

/** C xenstored's and oxenstored's words for a quota that is full. */
const quotas: readonly string[] = ['ENOSPC', 'EQUOTA', 'E2BIG', 'EINVAL'];

const describe = (error: VchanError | XenstoreError): string => {
  if (error instanceof VchanError) return `${error.code}: ${error.message}`;
  if (!quotas.includes(error.code)) return error.message;
  return `${error.message}: this VM's quota is full: raise it in dom0 (xenstored -E, or quota-maxentity in oxenstored.conf)`;
};

/**
 * Runs `step` at each trigger, never twice at once. After one that failed, `report` is told why, and it is run
 * again later and later; after one that did not, `report` is told nothing. Errors with what cannot pass.
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
      retries.next(Math.min(firstMs * 2 ** failures, longestMs));
      failures += 1;
    }
  };
  return merge(triggers, retries.pipe(switchMap((ms) => timer(ms)))).pipe(
    singleFlight(run),
    ignoreElements(),
  );
};
