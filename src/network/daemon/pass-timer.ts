/** Passes that are asked for rather than triggered from outside. */
import { Subject } from 'rxjs';

/** `requeue` asks for a pass at once, `requeueAfter` at the earliest time that anybody named. */
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
