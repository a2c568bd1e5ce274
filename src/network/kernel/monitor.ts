/** Programs that run on and print what changes: `ip monitor`, `nft monitor`. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { Observable, type Subscriber } from 'rxjs';
import { VifwatchError } from '../../errors.ts';

const deadlineMs = 5_000;
const retryMs = 5;

/** Whether process `pid` has joined netlink groups; the Pid and Groups columns of the table say so. */
const isListening = async (pid: number): Promise<boolean> => {
  const rows = (await readFile('/proc/self/net/netlink', 'latin1')).split('\n').slice(1);
  return rows.some((row) => {
    const [, , portid, groups] = row.trim().split(/\s+/);
    return Number(portid) === pid && Number.parseInt(groups ?? '0', 16) !== 0;
  });
};

/** Monitors do not say when they have begun to listen, and a change before that would be lost. */
const untilListening = async (pid: number, abandoned: AbortSignal): Promise<boolean> => {
  for (let waited = 0; waited < deadlineMs && !abandoned.aborted; waited += retryMs) {
    if (await isListening(pid)) return true;
    await delay(retryMs);
  }
  return false;
};

/** No line that matters is longer. */
const longestLine = 500;

/** Whole lines out of chunks; the rest of the last chunk waits for the next. */
export const openLines = () => {
  let rest = '';
  return (chunk: Buffer): string[] => {
    const lines = `${rest}${chunk.toString('latin1')}`.split('\n');
    rest = (lines.pop() ?? '').slice(0, longestLine);
    return lines;
  };
};

/** What was printed; `undefined` if anything may have changed: it has begun to listen, or says that it lost some. */
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
  // Mostly that the kernel had to drop messages.
  child.stderr.on('data', () => output.next(undefined));
  void child.then(({ exitCode, signal }) => {
    if (!stop.signal.aborted) fail(`ended with ${signal ?? `status ${exitCode ?? 'none'}`}`);
  });
  void untilListening(child.pid ?? 0, stop.signal).then((listening) => {
    if (listening) output.next(undefined);
    else if (!stop.signal.aborted) fail('did not begin to listen');
  });
  return () => stop.abort();
};

/** Runs a monitor; errors with MONITOR_FAILED when it ends. Unsubscribing ends it. */
export const watchMonitor = (argv: readonly string[]): Observable<MonitorOutput> =>
  new Observable<MonitorOutput>((output) => start(argv, output));
