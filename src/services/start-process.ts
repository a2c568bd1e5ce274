/** From a file to a process of its own session and group, with no more than three descriptors. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { environmentOf } from './environment.ts';
import type { User } from './passwd.ts';
import { RefusedError } from './refused.ts';
import type { ServiceCall } from './services.ts';
import {
  closeEnds,
  type Owner,
  openStdioPipes,
  readableEnd,
  type StdioPipes,
  writableEnd,
} from './stdio-pipes.ts';

export type ServiceProcess = {
  /** Of the process, and of the group that it leads. */
  readonly pid: number;
  /** Destroyed when the process ends, though others may still read from it. */
  readonly stdin: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** Its exit status, or 128 and the signal's number. */
  readonly exited: Promise<number>;
};

/** What the kernel says when there are too many processes or descriptors already. */
const exhausted = ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM'];

const refusedBy = (path: string, user: User, error: unknown): RefusedError => {
  const { code = String(error) } = error as NodeJS.ErrnoException;
  if (exhausted.includes(code)) {
    return new RefusedError('busy', `${path} cannot be started: ${code}`);
  }
  // The file itself has just been seen.
  if (code === 'ENOENT') {
    return new RefusedError('not-found', `${path}: the interpreter of its first line is missing`);
  }
  const hint =
    code === 'EACCES'
      ? '; that user may not enter its directory, or execute it or its interpreter'
      : '';
  return new RefusedError('failed', `${path} cannot be started as ${user.name}: ${code}${hint}`);
};

/** Only root can be somebody else; that drops all supplementary groups too, which libuv sees to. */
const identity = (user: User): Owner | undefined => {
  const own = process.geteuid?.();
  if (own === 0) return { uid: user.uid, gid: user.gid };
  if (own === user.uid) return undefined;
  throw new RefusedError('failed', `only an agent run by root can run a service as ${user.name}`);
};

const statusOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    child.once('exit', (status, signal) => {
      resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });

const spawned = async (child: ChildProcess, pipes: StdioPipes): Promise<ServiceProcess> => {
  const exited = statusOf(child);
  await once(child, 'spawn');
  // Nothing is left that could fail: signals are sent to the group, not through this object.
  child.on('error', () => undefined);
  const [toStdin, fromStdout, fromStderr] = pipes.ours;
  const stdin = writableEnd(toStdin);
  void exited.then(() => stdin.destroy());
  return {
    ...{ pid: child.pid as number, exited, stdin },
    ...{ stdout: readableEnd(fromStdout), stderr: readableEnd(fromStderr) },
  };
};

const start = async (
  path: string,
  call: ServiceCall,
  user: User,
  as: Owner | undefined,
): Promise<ServiceProcess> => {
  const pipes = openStdioPipes(as);
  const { argument } = call.request;
  try {
    const child = spawn(path, argument === '' ? [] : [argument], {
      ...as,
      cwd: '/',
      env: environmentOf(call, user),
      detached: true,
      stdio: [...pipes.theirs],
    });
    return await spawned(child, pipes);
  } catch (error) {
    closeEnds(pipes.ours);
    throw error;
  } finally {
    closeEnds(pipes.theirs);
  }
};

/** Throws RefusedError. No shell takes part; libuv puts all signals to their defaults. */
export const startProcess = async (
  path: string,
  call: ServiceCall,
  user: User,
): Promise<ServiceProcess> => {
  const as = identity(user);
  try {
    return await start(path, call, user, as);
  } catch (error) {
    throw refusedBy(path, user, error);
  }
};
