/** Finds the processes that a test run has started, even orphans. */
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { commandLine, nameOf } from '../rig/process.ts';
import { isRunning } from '../rig/sim/rig-directory.ts';

/**
 * A run's mark is the soft limit of bytes in POSIX message queues, which no program here uses. Every process
 * inherits it, even a service with a new environment, and keeps it after its parent's death.
 */
export type RunMark = number;

const limitsOf = (pid: number): { readonly soft: string; readonly hard: string } => {
  try {
    const text = readFileSync(`/proc/${pid}/limits`, 'latin1');
    const [, soft = '', hard = ''] = /^Max msgqueue size +(\S+) +(\S+)/m.exec(text) ?? [];
    return { soft, hard };
  } catch {
    return { soft: '', hard: '' }; // the process has just ended
  }
};

/** Marks this process and all processes that it starts from now on. */
export const markRun = async (): Promise<RunMark> => {
  const { hard } = limitsOf(process.pid);
  const mark = randomInt(1, hard === 'unlimited' ? 2 ** 31 : Number(hard));
  await execa('prlimit', ['--pid', `${process.pid}`, `--msgqueue=${mark}:`]);
  return mark;
};

export const isMarked = (pid: number, mark: RunMark): boolean => limitsOf(pid).soft === `${mark}`;

/** The running processes of a run, without this one. */
export const processesOf = (mark: RunMark): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isMarked(pid, mark) && isRunning(pid));

export const describeProcess = (pid: number): string =>
  `process ${pid}: ${commandLine(pid) || nameOf(pid)}`;
