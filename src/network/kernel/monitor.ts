/** Programs that keep running and print changes: `ip monitor`, `nft monitor`. */
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { Observable, type Subscriber } from 'rxjs';
import { VifwatchError } from '../../errors.ts';
import { sleep, systemClock } from '../../system/clock.ts';

const deadlineMs = 5_000;
const retryMs = 5;

/** Whether process `pid` has joined netlink groups, according to the table's Pid and Groups columns. */
const isListening = async (pid: number): Promise<boolean> => {
  const rows = (await readFile('/proc/self/net/netlink', 'latin1')).split('\n').slice(1);
  return rows.some((row) => {
    const [, , portid, groups] = row.trim().split(/\s+/);
    return Number(portid) === pid && Number.parseInt(groups ?? '0', 16) !== 0;
  });
};

/**
 * Resolves with true once process `pid` listens, with false at the deadline or once `abandoned`. A monitor
 * does not report that it has begun to listen, and a change before that would be lost.
 */
const untilListening = async (pid: number, abandoned: AbortSignal): Promise<boolean> => {
  for (let waited = 0; waited < deadlineMs && !abandoned.aborted; waited += retryMs) {
    if (await isListening(pid)) return true;
    await sleep(systemClock, retryMs);
  }
  return false;
};

/** An incomplete line is cut at this length; every line that matters is shorter. */
const longestLine = 500;

/** Splits chunks into whole lines. An incomplete last line waits for the next chunk. */
export const openLines = () => {
  let rest = '';
  return (chunk: Buffer): string[] => {
    const lines = `${rest}${chunk.toString('latin1')}`.split('\n');
    rest = (lines.pop() ?? '').slice(0, longestLine);
    return lines;
  };
};

/**
 * Printed output, or `undefined` if anything may have changed: the monitor has just begun to listen, or
 * reports lost messages.
 */
export type MonitorOutput = Buffer | undefined;

const start = (
  [file = '', ...args]: readonly string[],
  output: Subscriber<MonitorOutput>,
): (() => void) => {
  const stop = new AbortController();
  const name = `${file} ${args.join(' ')}`;
  const child = execa(file, args, {
    env: { LC_ALL: 'C' },
    buffer: false,
    reject: false,
    stdin: 'ignore',
    cancelSignal: stop.signal,
  });
  const fail = (reason: string) =>
    output.error(new VifwatchError('MONITOR_FAILED', `${name} ${reason}`));
  child.stdout.on('data', (chunk: Buffer) => output.next(chunk));
  // In most cases this reports that the kernel dropped messages.
  child.stderr.on('data', () => output.next(undefined));
  void child.then(({ exitCode, signal }) => {
    if (!stop.signal.aborted)
      fail(
        `ended with ${signal ?? `exit status ${exitCode ?? 'unknown (it may not have started)'}`}`,
      );
  });
  void untilListening(child.pid ?? 0, stop.signal).then((listening) => {
    if (listening) output.next(undefined);
    else if (!stop.signal.aborted) fail(`did not begin to listen within ${deadlineMs / 1000} s`);
  });
  return () => {
    stop.abort();
    // A process that the program has started may outlive it, and its open pipe would keep the daemon alive.
    child.stdout.destroy();
    child.stderr.destroy();
  };
};

/** Runs a monitor. Errors with MONITOR_FAILED if it ends or does not listen. Unsubscribing stops it. */
export const watchMonitor = (argv: readonly string[]): Observable<MonitorOutput> =>
  new Observable<MonitorOutput>((output) => start(argv, output));
