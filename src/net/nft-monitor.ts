/** Tells that somebody else changed the ruleset; what changed is for the next observation to see. */
import { defer, filter, type Observable, retry, tap, timer } from 'rxjs';
import { generationBy } from '../core/monitor-lines.ts';
import { isOwnChild } from './command.ts';
import { type Told, watchMonitor } from './monitor.ts';

/** Some 5 s; one that still dies before it listens will not work the next time either. */
const attempts = 9;
const restMs = (failures: number): number =>
  failures === 1 ? 0 : Math.min(25 * 2 ** failures, 1_000);

const isForeign = (line: string): boolean => {
  const pid = generationBy(line);
  return pid !== undefined && !isOwnChild(pid);
};

/** Far more than a transaction of ours makes it print. */
const mostBytes = 512 * 1024;

/** Throws when it goes on and on without coming to the end of a transaction. */
const openLimit = () => {
  let bytes = 0;
  return (told: Told): void => {
    const isOver = told?.lines.some((line) => generationBy(line) !== undefined) ?? true;
    bytes = isOver ? 0 : bytes + (told?.bytes ?? 0);
    if (bytes > mostBytes) throw new Error('nft monitor prints without end');
  };
};

/**
 * Emits once it listens, then after every transaction that none of our own programs made. When elements of
 * interval sets are deleted, nft 1.0.6 crashes or prints megabytes, so it is started again; anything may have
 * changed meanwhile. Errors with MONITOR_FAILED.
 */
export const watchRuleset = (): Observable<unknown> => {
  let failures = 0;
  return defer(() => watchMonitor(['nft', 'monitor']).pipe(tap(openLimit()))).pipe(
    tap((told) => {
      if (told === undefined) failures = 0;
    }),
    retry({
      delay: (error) => {
        failures += 1;
        if (failures > attempts) throw error;
        return timer(restMs(failures));
      },
    }),
    filter((told) => told === undefined || told.lines.some(isForeign)),
  );
};
