/** The one place that runs other programs: argument lists, no shell, C locale, a deadline. */
import { execa } from 'execa';
import type { ProcessCode } from '../errors.ts';
import { type InputPipe, openInputPipe } from './input-pipe.ts';

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

const spawn = ([file = '', ...args]: readonly string[], stdin: number | 'ignore') => {
  const overdue = new AbortController();
  const child = execa(file, args, {
    // Any descriptor will do; the types go up to 9.
    stdin: stdin as 3 | 'ignore',
    env: environment,
    cancelSignal: overdue.signal,
    // Whoever is late has had its time.
    killSignal: 'SIGKILL',
    reject: false,
    stripFinalNewline: false,
  });
  remember(child.pid);
  return { child, overdue };
};

const inputPipe = (argv: readonly string[]): InputPipe => {
  try {
    return openInputPipe();
  } catch (error) {
    throw new CommandError(argv, 'could not be run', (error as Error).message);
  }
};

type Spawned = ReturnType<typeof spawn>;

const spawnWith = (argv: readonly string[], pipe: InputPipe): Spawned => {
  try {
    return spawn(argv, pipe.descriptor);
  } catch (error) {
    pipe.close();
    throw new CommandError(argv, 'could not be run', (error as Error).message);
  } finally {
    pipe.handOver();
  }
};

const finish = async (
  argv: readonly string[],
  { child, overdue }: Spawned,
  sent: Promise<boolean>,
): Promise<Finished> => {
  const deadline = setTimeout(() => overdue.abort(), deadlineMs);
  const { isCanceled, exitCode, signal, stdout, stderr, originalMessage } = await child;
  clearTimeout(deadline);
  if (isCanceled) throw new CommandError(argv, `no answer within ${deadlineMs / 1000} s`, stderr);
  if (signal !== undefined) throw new CommandError(argv, `killed by ${signal}`, stderr);
  if (exitCode === undefined) {
    throw new CommandError(argv, 'could not be run', originalMessage ?? '');
  }
  // To nft, JSON that breaks off is no error.
  if (!(await sent) && exitCode === 0) throw new CommandError(argv, 'did not take its input', '');
  return { stdout, stderr, status: exitCode };
};

/** Throws CommandError if there is no pipe to be had. */
const start = (argv: readonly string[]): Waiting => {
  const pipe = inputPipe(argv);
  const spawned = spawnWith(argv, pipe);
  const { child } = spawned;
  void child.then(pipe.close);
  return {
    isAlive: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    finish: (input) => {
      remember(child.pid);
      return finish(argv, spawned, pipe.send(input));
    },
  };
};

/** Runs to the end whatever the exit status is; throws CommandError if it did not start, take its input or finish. */
export const attempt = async (argv: readonly string[], input?: string): Promise<Finished> =>
  input === undefined
    ? finish(argv, spawn(argv, 'ignore'), Promise.resolve(true))
    : start(argv).finish(input);

const succeeded = (argv: readonly string[], { stdout, stderr, status }: Finished): string => {
  if (status !== 0) throw new CommandError(argv, `exit status ${status}`, stderr);
  return stdout;
};

/** Runs a program that must succeed; throws CommandError otherwise. */
export const run = async (argv: readonly string[], input?: string): Promise<string> =>
  succeeded(argv, await attempt(argv, input));

export type Standby = {
  /** As the functions of the same names, with what is ready, else from the start. */
  readonly attempt: (input: string) => Promise<Finished>;
  readonly run: (input: string) => Promise<string>;
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
  let isClosed = false;
  const take = (): Waiting => {
    const taken = ready;
    ready = undefined;
    return taken?.isAlive() ? taken : start(argv);
  };
  const prepare = (): void => {
    if (isClosed) return;
    try {
      ready ??= start(argv);
    } catch {
      // Whoever needs it will hear of it.
    }
  };
  const attempt: Standby['attempt'] = async (input) => {
    clearTimeout(soon);
    try {
      return await take().finish(input);
    } finally {
      clearTimeout(soon);
      soon = setTimeout(prepare, quietMs).unref();
    }
  };
  return {
    attempt,
    run: async (input) => succeeded(argv, await attempt(input)),
    prepare,
    close: () => {
      isClosed = true;
      clearTimeout(soon);
      ready?.finish('').catch(() => undefined);
      ready = undefined;
    },
  };
};
