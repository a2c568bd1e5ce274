/** Passes that the daemon itself requests, now or later. */
import { Subject } from 'rxjs';
import type { Clock, Timer } from '../../system/clock.ts';

/**
 * `requeue` requests a pass at once, `requeueAfter` after a delay. Of several delayed requests, only the
 * earliest leads to a pass.
 */
export const openPassTimer = (clock: Clock) => {
  const requests = new Subject<void>();
  let pending: { readonly at: number; readonly timer: Timer } | undefined;
  const requeue = (): void => requests.next();
  const expire = (): void => {
    pending = undefined;
    requeue();
  };
  const requeueAfter = (delayMs: number): void => {
    const at = clock.now() + delayMs;
    if (pending !== undefined && pending.at <= at) return;
    pending?.timer.cancel();
    pending = { at, timer: clock.after(delayMs, expire).unref() };
  };
  return { requests, requeue, requeueAfter };
};
