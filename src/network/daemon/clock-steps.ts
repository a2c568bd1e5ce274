/** Notices that somebody has set the wall clock: rules end by it, and the daemon's timers do not follow it. */
import { filter, interval, map, type Observable, pairwise } from 'rxjs';

const lookMs = 1_000;
/** NTP moves the clock by at most half a millisecond in a second, unless it sets it. */
const stepMs = 100;

/** Emits within a second after a step of the wall clock, also after a suspend. */
export const clockSteps = (): Observable<unknown> =>
  interval(lookMs).pipe(
    map(() => Date.now() - performance.now()),
    pairwise(),
    filter(([before, now]) => Math.abs(now - before) > stepMs),
  );
