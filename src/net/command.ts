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

/** A program that has been started and waits for its input. */
type Waiting = {
  readonly isAlive: () => boolean;
  /** To be called once; throws CommandError if the program did not start or finish. */
  readonly finish: (input: string) => Promise<Finished>;
};

const started = new Map<number, number>();
/** The deadline and some: by then, whatever a program has done has been told. */
const rememberMs = 15_000;

const remember = (pid: number | undefined): void => {
  const now = performance.now();
  for (const [old, at] of started) {
    if (now - at < rememberMs) break;
    started.delete(old);
  }
  if (pid === undefined) return;
  started.delete(pid);
  started.set(pid, now);
};

/** Whether we started the process of late; the number of one long gone may be anybody's by now. */
export const isOwnChild = (pid: number): boolean =>
  performance.now() - (started.get(pid) ?? Number.NEGATIVE_INFINITY) < rememberMs;

const start = (argv: readonly string[]): Waiting => {
  const [file = '', ...args] = argv;
  const overdue = new AbortController();
  const child = execa(file, args, {
    env: environment,
    cancelSignal: overdue.signal,
    reject: false,
    stripFinalNewline: false,
  });
  remember(child.pid);
  return {
    isAlive: () => child.exitCode === null && child.signalCode === null,
    finish: async (input) => {
      const deadline = setTimeout(() => overdue.abort(), deadlineMs);
      // A program that never started has no stdin.
      child.stdin?.end(input);
      const result = await child;
      clearTimeout(deadline);
      if (result.exitCode === undefined) {
        const late = `no answer within ${deadlineMs / 1000} s`;
        const reason = result.isCanceled ? late : 'could not be run';
        throw new CommandError(argv, reason, result.stderr ?? result.message ?? '');
      }
      return { stdout: result.stdout, stderr: result.stderr, status: result.exitCode };
    },
  };
};

/** Runs to the end whatever the exit status is; throws CommandError if it did not start or finish. */
export const attempt = (argv: readonly string[], input = ''): Promise<Finished> =>
  start(argv).finish(input);

/** Runs a program that must succeed; throws CommandError otherwise. */
export const run = async (argv: readonly string[], input = ''): Promise<string> => {
  const { stdout, stderr, status } = await attempt(argv, input);
  if (status !== 0) throw new CommandError(argv, `exit status ${status}`, stderr);
  return stdout;
};

export type Standby = {
  /** As `attempt`, with what is ready, else from the start. */
  readonly attempt: (input: string) => Promise<Finished>;
  /** Starts the program for the next attempt. */
  readonly prepare: () => void;
  /** Lets a program that waits go. */
  readonly close: () => void;
};

/** To start a program costs the event loop milliseconds, which can wait until nobody waits for anything. */
const quietMs = 50;

/** Keeps a program that does nothing before its input ends one start ahead of its use. */
export const openStandby = (argv: readonly string[]): Standby => {
  let ready: Waiting | undefined;
  let soon: NodeJS.Timeout | undefined;
  const take = (): Waiting => {
    const taken = ready;
    ready = undefined;
    return taken?.isAlive() ? taken : start(argv);
  };
  const prepare = (): void => {
    ready ??= start(argv);
  };
  return {
    attempt: async (input) => {
      clearTimeout(soon);
      try {
        return await take().finish(input);
      } finally {
        soon = setTimeout(prepare, quietMs).unref();
      }
    },
    prepare,
    close: () => {
      clearTimeout(soon);
      ready?.finish('').catch(() => undefined);
    },
  };
};
