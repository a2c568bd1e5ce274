/**
 * Starts a service several times: with 0, 1, 2 … free descriptors, or once while the process limit is
 * reached. Prints each start's outcome, and how many descriptors it has leaked. Usage: `exhausted <what>
 * <service file>`.
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
  request: { target: '', service: 'any', argument: '' },
  source: 'work-vm',
  via: undefined,
  user: undefined,
  ...streams,
  cancelled: new AbortController().signal,
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

/** Opens files until no descriptor is free, and gives their descriptors. */
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

// The first start loads and opens whatever is loaded and opened only once.
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
