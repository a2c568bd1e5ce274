/** The one place that runs other programs: argument lists, no shell, C locale, a deadline. */
import { execa } from 'execa';
import type { ProcessCode } from '../core/problem.ts';

/** 10 s: far above what ip and nft need under load, far below an operator's patience. */
const deadlineMs = 10_000;

/** A program that failed, could not be run or took too long; the message has argv and the first line it said. */
export class CommandError extends Error {
  readonly code = 'COMMAND_FAILED' satisfies ProcessCode;
  readonly stderr: string;

  constructor(argv: readonly string[], reason: string, stderr: string) {
    const said = stderr.split('\n').find((line) => line.trim() !== '');
    super(`${argv.join(' ')}: ${reason}${said === undefined ? '' : `: ${said.trim()}`}`);
    this.name = 'CommandError';
    this.stderr = stderr;
  }
}

export type Finished = {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
};

const environment = { LC_ALL: 'C' };

/** Runs to the end whatever the exit status is; throws CommandError if it did not start or finish. */
export const attempt = async (argv: readonly string[], input = ''): Promise<Finished> => {
  const [file = '', ...args] = argv;
  const result = await execa(file, args, {
    input,
    env: environment,
    timeout: deadlineMs,
    reject: false,
    stripFinalNewline: false,
  });
  if (result.exitCode === undefined) {
    const reason = result.timedOut ? `no answer within ${deadlineMs / 1000} s` : 'could not be run';
    throw new CommandError(argv, reason, result.stderr ?? result.message ?? '');
  }
  return { stdout: result.stdout, stderr: result.stderr, status: result.exitCode };
};

/** Runs a program that must succeed; throws CommandError otherwise. */
export const run = async (argv: readonly string[], input = ''): Promise<string> => {
  const { stdout, stderr, status } = await attempt(argv, input);
  if (status !== 0) throw new CommandError(argv, `exit status ${status}`, stderr);
  return stdout;
};
