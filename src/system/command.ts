/**
 * Runs a program to its end: an argument list without a shell, the C locale, a deadline. Three other files
 * start programs, which run longer: network/kernel/monitor.ts (monitors), ipc/services/start-process.ts
 * (services, through the addon) and cli/ipc/call.ts (the command of `vifwatch call`).
 */
import { execa } from 'execa';
import type { ProcessCode } from '../errors.ts';
import { systemClock, type Timer } from './clock.ts';
import { afterDeadline } from './deadline.ts';
import { type InputPipe, openInputPipe } from './input-pipe.ts';

/** Under load, ip and nft need far less than 10 s. */
const deadlineMs = 10_000;

/**
 * A program failed, could not be run or exceeded the deadline. The message holds argv and the first line
 * of stderr that is not blank.
 */
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

/** A program that is running and waits for its input. */
type Waiting = {
  readonly isAlive: () => boolean;
  /** May be called once. Throws CommandError if the program did not start, take its input or finish. */
  readonly finish: (input: string) => Promise<Finished>;
};

/** By pid: when the program was started or got its input, in ms of the system clock. */
const started = new Map<number, number>();

/** The deadline and 5 s more, so that the monitors have reported every change that the program made. */
const rememberMs = 15_000;

const remember = (pid: number | undefined): void => {
  const now = systemClock.now();
  for (const [old, at] of started) {
    if (now - at < rememberMs) break;
    started.delete(old);
  }
  if (pid === undefined) return;
  started.delete(pid);
  started.set(pid, now);
};

/** True if this process started the program within the last 15 s. The kernel may reuse an older pid. */
export const isOwnChild = (pid: number): boolean =>
  systemClock.now() - (started.get(pid) ?? Number.NEGATIVE_INFINITY) < rememberMs;

const spawn = ([file = '', ...args]: readonly string[], stdin: number | 'ignore') => {
  const overdue = new AbortController();
  const child = execa(file, args, {
    // Execa accepts any descriptor, but its types allow only 3 to 9.
    stdin: stdin as 3 | 'ignore',
    env: environment,
    cancelSignal: overdue.signal,
    // A program that has exceeded the deadline gets no more time to clean up.
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
  const deadline = afterDeadline(systemClock, deadlineMs, () => overdue.abort());
  const { isCanceled, exitCode, signal, stdout, stderr, originalMessage } = await child;
  deadline.cancel();
  if (isCanceled) throw new CommandError(argv, `no answer within ${deadlineMs / 1000} s`, stderr);
  if (signal !== undefined) throw new CommandError(argv, `killed by ${signal}`, stderr);
  if (exitCode === undefined) {
    throw new CommandError(argv, 'could not be run', originalMessage ?? '');
  }
  // Nft exits with 0 even if its JSON input is cut off.
  if (!(await sent) && exitCode === 0) throw new CommandError(argv, 'did not take its input', '');
  return { stdout, stderr, status: exitCode };
};

/** Throws CommandError if the pipe cannot be created or the program cannot be started. */
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

/**
 * Runs a program and accepts every exit status.
 * @throws CommandError if the program did not start, take its input or finish in time
 */
export const attempt = async (argv: readonly string[], input?: string): Promise<Finished> =>
  input === undefined
    ? finish(argv, spawn(argv, 'ignore'), Promise.resolve(true))
    : start(argv).finish(input);

const succeeded = (argv: readonly string[], { stdout, stderr, status }: Finished): string => {
  if (status !== 0) throw new CommandError(argv, `exit status ${status}`, stderr);
  return stdout;
};

/**
 * Runs a program that must succeed, and returns its stdout.
 * @throws CommandError if its exit status is not 0, and as `attempt` does
 */
export const run = async (argv: readonly string[], input?: string): Promise<string> =>
  succeeded(argv, await attempt(argv, input));

export type Standby = {
  /** Like the functions `attempt` and `run`, but with the waiting program if it is still alive. */
  readonly attempt: (input: string) => Promise<Finished>;
  readonly run: (input: string) => Promise<string>;
  /** Starts the program for the next attempt. */
  readonly prepare: () => void;
  /** Ends the waiting program. */
  readonly close: () => void;
};

/** Starting a program blocks the event loop for milliseconds, so the next start waits for a quiet moment. */
const quietMs = 50;

/**
 * Starts a program before it is needed, and gives it its input later. The program must do nothing before
 * its input ends.
 */
export const openStandby = (argv: readonly string[]): Standby => {
  let ready: Waiting | undefined;
  let soon: Timer | undefined;
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
      // The next attempt starts the program again and reports the error.
    }
  };
  const attempt: Standby['attempt'] = async (input) => {
    soon?.cancel();
    try {
      return await take().finish(input);
    } finally {
      soon?.cancel();
      soon = systemClock.after(quietMs, prepare).unref();
    }
  };
  return {
    attempt,
    run: async (input) => succeeded(argv, await attempt(input)),
    prepare,
    close: () => {
      isClosed = true;
      soon?.cancel();
      ready?.finish('').catch(() => undefined);
      ready = undefined;
    },
  };
};
