/** Passes that the daemon itself requests, now or later. */
import { Subject } from 'rxjs';

/**
 * `requeue` requests a pass at once, `requeueAfter` after a delay. Of several delayed requests, only the
 * earliest leads to a pass.
 */
export const openPassTimer = () => {
  const requests = new Subject<void>();
  let pending: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  const requeue = (): void => requests.next();
  const expire = (): void => {
    pending = undefined;
    requeue();
  };
  const requeueAfter = (delayMs: number): void => {
    const at = performance.now() + delayMs;
    if (pending !== undefined && pending.at <= at) return;
    clearTimeout(pending?.timer);
    pending = { at, timer: setTimeout(expire, delayMs).unref() };
  };
  return { requests, requeue, requeueAfter };
};
