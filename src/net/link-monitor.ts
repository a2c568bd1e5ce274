/** Tells that links, addresses or routes changed; what changed is for the next observation to see. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { Observable, type Subscriber } from 'rxjs';
import { VifwatchError } from '../core/problem.ts';

const argv = ['monitor', 'link', 'address', 'route'];
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

/** `ip monitor` does not say when it has begun to listen, and a change before that would be lost. */
const untilListening = async (pid: number, abandoned: AbortSignal): Promise<boolean> => {
  for (let waited = 0; waited < deadlineMs && !abandoned.aborted; waited += retryMs) {
    if (await isListening(pid)) return true;
    await delay(retryMs);
  }
  return false;
};

const start = (changes: Subscriber<void>): (() => void) => {
  const stop = new AbortController();
  const child = execa('ip', argv, {
    env: { LC_ALL: 'C' },
    buffer: false,
    reject: false,
    stdin: 'ignore',
    cancelSignal: stop.signal,
  });
  const fail = (reason: string) => changes.error(new VifwatchError('MONITOR_FAILED', reason));
  child.stdout.on('data', () => changes.next());
  void child.then(({ stderr, exitCode }) => {
    if (!stop.signal.aborted)
      fail(`ip monitor ended with ${exitCode ?? 'no'} status ${stderr ?? ''}`);
  });
  void untilListening(child.pid ?? 0, stop.signal).then((listening) => {
    if (listening) changes.next();
    else if (!stop.signal.aborted) fail('ip monitor did not begin to listen');
  });
  return () => stop.abort();
};

/** Emits once it listens, then at every change; errors with MONITOR_FAILED. Unsubscribing ends the child. */
export const watchLinks = (): Observable<void> => new Observable<void>(start);
