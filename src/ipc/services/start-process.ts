/** From a file to a process of its own session and group, with no more than three descriptors. */
import type { Socket } from 'node:net';
import { deferred } from '../../system/deferred.ts';
import { loadNative, type Program, type SpawnOperation } from '../../xen/native.ts';
import { environmentOf } from './environment.ts';
import type { User } from './passwd.ts';
import { RefusedError } from './refused-error.ts';
import type { ServiceCall } from './services.ts';
import { closeEnds, type Owner, openStdioPipes, readableEnd, writableEnd } from './stdio-pipes.ts';

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

/** What the program's file lacks. */
const hints: Readonly<Record<string, string>> = {
  EACCES: 'that user may not enter its directory, or execute it or its interpreter',
  ENOEXEC: 'it, or its interpreter, is damaged or made for another machine',
};

type StartError = NodeJS.ErrnoException & {
  /** None if it was a pipe that failed. */
  readonly operation?: SpawnOperation;
};

const refusedBy = (path: string, user: User, error: unknown): RefusedError => {
  const { code = String(error), operation } = error as StartError;
  if (exhausted.includes(code)) {
    return new RefusedError('busy', `${path} cannot be started: ${code}`);
  }
  // The file itself has just been seen.
  if (code === 'ENOENT') {
    return new RefusedError('not-found', `${path}: the interpreter of its first line is missing`);
  }
  const hint = operation === 'exec' ? hints[code] : operation && `it failed at: ${operation}`;
  const text = `${path} cannot be started as ${user.name}: ${code}`;
  return new RefusedError('failed', hint === undefined ? text : `${text}; ${hint}`);
};

/** Only root can be somebody else; that drops all supplementary groups too. */
const identity = (user: User): Owner | undefined => {
  const own = process.geteuid?.();
  if (own === 0) return { uid: user.uid, gid: user.gid };
  if (own === user.uid) return undefined;
  throw new RefusedError('failed', `only an agent run by root can run a service as ${user.name}`);
};

const start = (
  path: string,
  call: ServiceCall,
  user: User,
  as: Owner | undefined,
): ServiceProcess => {
  const { ours, theirs } = openStdioPipes(as);
  const [toStdin, fromStdout, fromStderr] = ours;
  const { argument } = call.request;
  const { promise: exited, resolve } = deferred<number>();
  try {
    const program: Program = {
      path,
      argv: argument === '' ? [path] : [path, argument],
      environment: Object.entries(environmentOf(call, user)).map((entry) => entry.join('=')),
      descriptors: theirs,
      identity: as,
    };
    const pid = loadNative().spawn(program, resolve);
    const stdin = writableEnd(toStdin);
    void exited.then(() => stdin.destroy());
    return { pid, exited, stdin, stdout: readableEnd(fromStdout), stderr: readableEnd(fromStderr) };
  } catch (error) {
    closeEnds(ours);
    throw error;
  } finally {
    closeEnds(theirs);
  }
};

/** Blocks until the program is loaded, less than a millisecond. Throws RefusedError. No shell takes part. */
export const startProcess = (path: string, call: ServiceCall, user: User): ServiceProcess => {
  const as = identity(user);
  try {
    return start(path, call, user, as);
  } catch (error) {
    throw refusedBy(path, user, error);
  }
};
