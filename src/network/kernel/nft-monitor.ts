/** Tells that somebody else changed the ruleset; what changed is for the next observation to see. */
import { defer, filter, type Observable, retry, tap, timer } from 'rxjs';
import { isOwnChild } from '../../system/command.ts';
import { generationBy, isForeign } from '../text/monitor-lines.ts';
import { type MonitorOutput, openLines, watchMonitor } from './monitor.ts';

/** Some 5 s; one that still dies before it listens will not work the next time either. */
const attempts = 9;
const restMs = (failures: number): number =>
  failures === 1 ? 0 : Math.min(25 * 2 ** failures, 1_000);

/** Far more than a transaction of ours makes it print. */
const mostBytes = 512 * 1024;

/**
 * Whether a transaction of somebody else's may have ended that was about our tables: one that was about other tables
 * is none of our business. Throws when it prints on and on and none ends.
 */
const openJudge = () => {
  const linesOf = openLines();
  let bytes = 0;
  let foreign = 0;
  let others = 0;
  const endsOurs = (line: string): boolean => {
    const author = generationBy(line);
    if (author === undefined) {
      if (isForeign(line)) foreign += 1;
      else others += 1;
      return false;
    }
    const isForeignOnly = foreign > 0 && others === 0;
    [bytes, foreign, others] = [0, 0, 0];
    return !isForeignOnly && !isOwnChild(author);
  };
  return (output: MonitorOutput): boolean => {
    if (output === undefined) return true;
    bytes += output.length;
    const ended = linesOf(output).filter(endsOurs).length;
    if (bytes > mostBytes) throw new Error('nft monitor prints without end');
    return ended > 0;
  };
};

/**
 * Emits once it listens, then after every transaction of somebody else's that was about our tables. When elements of
 * interval sets are deleted, nft 1.0.6 crashes or prints megabytes, so it is started again; anything may have
 * changed meanwhile. Errors with MONITOR_FAILED.
 */
export const watchRuleset = (): Observable<unknown> => {
  let failures = 0;
  const once = defer(() =>
    watchMonitor(['nft', 'monitor']).pipe(
      tap((output) => {
        if (output === undefined) failures = 0;
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
