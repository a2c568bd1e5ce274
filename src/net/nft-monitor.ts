/** Tells that somebody else changed the ruleset; what changed is for the next observation to see. */
import { defer, filter, type Observable, retry, tap, timer } from 'rxjs';
import { generationBy } from '../core/monitor-lines.ts';
import { isOwnChild } from './command.ts';
import { watchMonitor } from './monitor.ts';

/** Some 5 s; one that still dies before it listens will not work the next time either. */
const attempts = 9;
const restMs = (failures: number): number =>
  failures === 1 ? 0 : Math.min(25 * 2 ** failures, 1_000);

const isForeign = (line: string): boolean => {
  const pid = generationBy(line);
  return pid !== undefined && !isOwnChild(pid);
};

/**
 * Emits once it listens, then after every transaction that none of our own programs made. nft 1.0.6 crashes
 * when elements of interval sets are deleted, so it is started again, and anything may have changed meanwhile.
 * Errors with MONITOR_FAILED.
 */
export const watchRuleset = (): Observable<unknown> => {
  let failures = 0;
  return defer(() => watchMonitor(['nft', 'monitor'])).pipe(
    tap(() => {
      failures = 0;
    }),
    retry({
      delay: (error) => {
        failures += 1;
        if (failures > attempts) throw error;
        return timer(restMs(failures));
      },
    }),
    filter((lines) => lines === undefined || lines.some(isForeign)),
  );
};
