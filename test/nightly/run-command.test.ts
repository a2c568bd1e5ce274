import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { directoryWith } from '../support/directory.ts';
import { hangMs, untilFound } from '../support/until.ts';
import { runCommand } from './run-command.ts';

const inShell = (script: string, env = {}) => ({ argv: ['sh', '-c', script], env });

const newLimits = () => {
  const directory = directoryWith();
  return { log: join(directory, 'part/name.log'), hangMs, signal: new AbortController().signal };
};

/** Waits for the process id that a script prints into its log. */
const processIn = (log: string): Promise<number> =>
  untilFound('the script prints its process id', () => {
    const [, pid] = /^pid (\d+)$/m.exec(readFileSync(log, 'utf8')) ?? [];
    return pid === undefined ? undefined : Number(pid);
  });

const isRunning = (pid: number): boolean => {
  try {
    // A zombie does not count as running.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
};

test('the log has the command line and then all its output', async () => {
  const limits = newLimits();
  const command = inShell('echo "$WORD"; echo wrong >&2', { WORD: 'right' });
  const { output, failure, minutes } = await runCommand(command, limits);
  expect(failure).toBe(undefined);
  expect(minutes).toBeGreaterThan(0);
  expect(output).toMatch(/^\$ WORD=right sh -c .*\nright\nwrong\n$/);
  expect(readFileSync(limits.log, 'utf8')).toBe(output);
});

test("a failed command's failure is its exit status", async () => {
  expect((await runCommand(inShell('exit 3'), newLimits())).failure).toBe('exit status 3');
  expect((await runCommand(inShell('kill -9 $$'), newLimits())).failure).toBe('SIGKILL');
});

test('a missing command fails', async () => {
  const { failure } = await runCommand({ argv: ['/nowhere/no-program'], env: {} }, newLimits());
  expect(failure).toMatch(/could not be run: .*ENOENT/);
});

/** Two processes that ignore SIGTERM. */
const stubborn = "trap '' TERM; sh -c 'echo pid $$; while :; do sleep 1; done' & wait; wait";

test('a hung command and all its processes are ended', async () => {
  const limits = { ...newLimits(), hangMs: 1_000, graceMs: 100 };
  const { failure, output } = await runCommand(inShell(stubborn), limits);
  expect(failure).toMatch(/^hung: ended after/);
  const [, pid] = /^pid (\d+)$/m.exec(output) ?? [];
  expect(isRunning(Number(pid))).toBe(false);
});

test('an interrupted command may clean up, and all its processes end', async () => {
  const interruption = new AbortController();
  const limits = { ...newLimits(), signal: interruption.signal };
  const polite = "trap 'echo tidied; exit 0' TERM; sh -c 'echo pid $$; exec sleep 1000' & wait";
  const running = runCommand(inShell(polite), limits);
  const pid = await processIn(limits.log);
  interruption.abort();
  const { failure, output } = await running;
  expect(failure).toBe('interrupted');
  expect(output).toMatch(/^tidied$/m);
  expect(isRunning(pid)).toBe(false);
});

test('processes that a command leaves in its process group are ended', async () => {
  const { failure, output } = await runCommand(inShell('sleep 1000 & echo pid $!'), newLimits());
  expect(failure).toBe(undefined);
  const [, pid] = /^pid (\d+)$/m.exec(output) ?? [];
  expect(isRunning(Number(pid))).toBe(false);
});
