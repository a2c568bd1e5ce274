/** Reports that another program changed the ruleset; the next observation finds the change. */
import { defer, filter, type Observable, retry, tap, timer } from 'rxjs';
import { delayAfter } from '../../system/backoff.ts';
import { isOwnChild } from '../../system/command.ts';
import { generationBy, isForeign } from '../text/monitor-lines.ts';
import { type MonitorOutput, openLines, watchMonitor } from './monitor.ts';

/** About 5 s in all. If the monitor still dies before it listens, another attempt would not help. */
const attempts = 9;
const rests = { firstMs: 100, longestMs: 1_000 };

/** Far more than the monitor prints for one transaction of the daemon. */
const mostBytes = 512 * 1024;

/**
 * Returns a function that tells, for each output, whether another program's transaction may have changed the
 * daemon's tables. A transaction that changed only other tables does not count. The function throws if the
 * monitor prints more than `mostBytes` without the end of a transaction.
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
    if (bytes > mostBytes)
      throw new Error(`nft monitor printed over ${mostBytes / 1024} KiB within one transaction`);
    return ended > 0;
  };
};

/**
 * Emits once it listens, then after each transaction of another program that may have changed the daemon's
 * tables. If elements of interval sets are deleted, nft 1.0.6 crashes or prints megabytes. The monitor is
 * then started again, and emits once it listens again, since anything may have changed meanwhile. After
 * `attempts` restarts in a row that do not listen, it errors with the last error, normally MONITOR_FAILED.
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
        // A monitor that listened and then crashed is started again at once.
        return timer(delayAfter(failures - 1, rests));
      },
    }),
  );
};
