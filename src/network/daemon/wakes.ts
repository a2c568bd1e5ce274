/** Passes that are asked for rather than triggered from outside. */
import { Subject } from 'rxjs';

/** `wake` asks for a pass: at once, or at the earliest time that anybody named. */
export const openWakes = () => {
  const wakes = new Subject<void>();
  let alarm: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  const ring = (): void => {
    alarm = undefined;
    wakes.next();
  };
  const wake = (afterMs?: number): void => {
    if (afterMs === undefined) {
      wakes.next();
      return;
    }
    const at = performance.now() + afterMs;
    if (alarm !== undefined && alarm.at <= at) return;
    clearTimeout(alarm?.timer);
    alarm = { at, timer: setTimeout(ring, afterMs).unref() };
  };
  return { wakes, wake };
};
