/**
 * Starts a service while there are ever more descriptors left, none at first, or while no process may be added.
 * Prints how each start ended, and how many descriptors more there were afterwards.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import type { RefusedError } from '../../../../src/ipc/services/refused-error.ts';
import { startProcess } from '../../../../src/ipc/services/start-process.ts';

const [what, path = ''] = process.argv.slice(2);

const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
const user = { name: 'itself', uid, gid, home: '/', shell: '/bin/sh' };
const streams = {
  stdin: new PassThrough(),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
};
const call = {
  ...{ request: { target: '', service: 'any', argument: '' }, source: 'work-vm', via: undefined },
  ...{ user: undefined, ...streams, cancelled: new AbortController().signal },
};

const attempt = async (): Promise<string> => {
  try {
    const { stdin, stdout, stderr, exited } = await startProcess(path, call, user);
    const closed = [stdin.end(), stdout.resume(), stderr.resume()].map((end) => once(end, 'close'));
    await Promise.all([exited, ...closed]);
    return 'started';
  } catch (error) {
    return (error as RefusedError).message;
  }
};

/** All descriptors that there are. */
const takeAll = (): number[] => {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    return taken;
  }
};

const closeAll = (taken: readonly number[]): void => {
  for (const fd of taken) closeSync(fd);
};

const descriptors = (): number => readdirSync('/proc/self/fd').length;

const attempts: { readonly outcome: string; readonly more: number }[] = [];

// What is loaded or opened only once has been, then.
await attempt();
const before = descriptors();

if (what === 'descriptors') {
  for (let free = 0; free < 12; free += 1) {
    const taken = takeAll();
    closeAll(taken.splice(0, free));
    const outcome = await attempt();
    closeAll(taken);
    attempts.push({ outcome, more: descriptors() - before });
  }
} else {
  execFileSync('prlimit', [`--pid=${process.pid}`, '--nproc=1:1']);
  attempts.push({ outcome: await attempt(), more: descriptors() - before });
}
console.log(JSON.stringify(attempts));
