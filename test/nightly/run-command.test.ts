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

/** The process that a script has written into its log, once it is there. */
const processIn = (log: string): Promise<number> =>
  untilFound('the script says its process', () => {
    const [, pid] = /^pid (\d+)$/m.exec(readFileSync(log, 'utf8')) ?? [];
    return pid === undefined ? undefined : Number(pid);
  });

const isRunning = (pid: number): boolean => {
  try {
    // A process that has ended and that nobody has waited for does not run.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
};

test('all that a command says is in its log, after the command itself', async () => {
  const limits = newLimits();
  const command = inShell('echo "$WORD"; echo wrong >&2', { WORD: 'right' });
  const { output, failure, minutes } = await runCommand(command, limits);
  expect(failure).toBe(undefined);
  expect(minutes).toBeGreaterThan(0);
  expect(output).toMatch(/^\$ WORD=right sh -c .*\nright\nwrong\n$/);
  expect(readFileSync(limits.log, 'utf8')).toBe(output);
});

test('a command that fails tells how', async () => {
  expect((await runCommand(inShell('exit 3'), newLimits())).failure).toBe('exit status 3');
  expect((await runCommand(inShell('kill -9 $$'), newLimits())).failure).toBe('SIGKILL');
});

test('a command that is not there fails', async () => {
  const { failure } = await runCommand({ argv: ['/nowhere/no-program'], env: {} }, newLimits());
  expect(failure).toMatch(/could not be run: .*ENOENT/);
});

/** Neither of the two ends when it is asked to. */
const stubborn = "trap '' TERM; sh -c 'echo pid $$; while :; do sleep 1; done' & wait; wait";

test('a command that hangs is ended, with all that it has started', async () => {
  const limits = { ...newLimits(), hangMs: 1_000, graceMs: 100 };
  const { failure, output } = await runCommand(inShell(stubborn), limits);
  expect(failure).toMatch(/^hung: ended after/);
  const [, pid] = /^pid (\d+)$/m.exec(output) ?? [];
  expect(isRunning(Number(pid))).toBe(false);
});

test('a command that is interrupted ends in good order, with all that it has started', async () => {
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

test('what a command leaves behind in its process group is ended', async () => {
  const { failure, output } = await runCommand(inShell('sleep 1000 & echo pid $!'), newLimits());
  expect(failure).toBe(undefined);
  const [, pid] = /^pid (\d+)$/m.exec(output) ?? [];
  expect(isRunning(Number(pid))).toBe(false);
});
