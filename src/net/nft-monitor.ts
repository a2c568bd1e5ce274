/** Tells that somebody else changed the ruleset; what changed is for the next observation to see. */
import { defer, filter, type Observable, retry, tap, timer } from 'rxjs';
import { generationBy } from '../core/monitor-lines.ts';
import { isOwnChild } from './command.ts';
import { openLines, type Told, watchMonitor } from './monitor.ts';

/** Some 5 s; one that still dies before it listens will not work the next time either. */
const attempts = 9;
const restMs = (failures: number): number =>
  failures === 1 ? 0 : Math.min(25 * 2 ** failures, 1_000);

/** Far more than a transaction of ours makes it print. */
const mostBytes = 512 * 1024;

/** Whether somebody else's transaction may have ended. Throws when it prints on and on and none ends. */
const openJudge = () => {
  const linesOf = openLines();
  let bytes = 0;
  return (told: Told): boolean => {
    if (told === undefined) return true;
    const authors = linesOf(told).flatMap((line) => generationBy(line) ?? []);
    bytes = authors.length > 0 ? 0 : bytes + told.length;
    if (bytes > mostBytes) throw new Error('nft monitor prints without end');
    return authors.some((pid) => !isOwnChild(pid));
  };
};

/**
 * Emits once it listens, then after every transaction that none of our own programs made. When elements of
 * interval sets are deleted, nft 1.0.6 crashes or prints megabytes, so it is started again; anything may have
 * changed meanwhile. Errors with MONITOR_FAILED.
 */
export const watchRuleset = (): Observable<unknown> => {
  let failures = 0;
  const once = defer(() =>
    watchMonitor(['nft', 'monitor']).pipe(
      tap((told) => {
        if (told === undefined) failures = 0;
      }),
      filter(openJudge()),
    ),
  );
  return once.pipe(
    retry({
      delay: (error) => {
        failures += 1;
        if (failures > attempts) throw error;
        return timer(restMs(failures));
      },
    }),
  );
};
