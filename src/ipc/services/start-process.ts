/** Starts a file as a process with its own session and group, and with only three descriptors. */

import { closeSync, fchownSync } from 'node:fs';
import type { Socket } from 'node:net';
import { deferred } from '../../system/deferred.ts';
import { isMissingFile } from '../../system/missing-file.ts';
import { readableEnd, writableEnd } from '../../system/pipe-ends.ts';
import { loadNative, type Program, type SpawnOperation } from '../../xen/native.ts';
import { environmentOf } from './environment.ts';
import type { User } from './passwd.ts';
import { RefusedError } from './refused-error.ts';
import type { ServiceCall } from './services.ts';

/**
 * The pipes' owner. A process needs permission to open a pipe by name, even if it has the pipe open already.
 */
type Owner = { readonly uid: number; readonly gid: number };

/** Descriptors, in the order of the process's own 0, 1 and 2. */
type Ends = readonly [stdin: number, stdout: number, stderr: number];

type StdioPipes = { readonly ours: Ends; readonly theirs: Ends };

const closeEnds = (ends: readonly number[]): void => {
  for (const end of ends) closeSync(end);
};

/**
 * Opens a process's stdin, stdout and stderr as pipes. libuv would use socket pairs, but scripts open
 * /dev/stdin, /dev/stdout and /dev/stderr by name, and a socket cannot be opened.
 * @param owner undefined for the agent's own user
 * @throws Error with an errno; no descriptor stays open then
 */
const openStdioPipes = (owner: Owner | undefined): StdioPipes => {
  const { pipe } = loadNative();
  const open: number[] = [];
  const openPipe = (): readonly [number, number] => {
    const [readEnd, writeEnd] = pipe();
    open.push(readEnd, writeEnd);
    if (owner !== undefined) fchownSync(readEnd, owner.uid, owner.gid);
    return [readEnd, writeEnd];
  };
  try {
    const [stdin, toStdin] = openPipe();
    const [fromStdout, stdout] = openPipe();
    const [fromStderr, stderr] = openPipe();
    return { ours: [toStdin, fromStdout, fromStderr], theirs: [stdin, stdout, stderr] };
  } catch (error) {
    closeEnds(open);
    throw error;
  }
};

export type ServiceProcess = {
  /** The id of the process, and of the group that it leads. */
  readonly pid: number;
  /** Destroyed when the process ends, even if other processes still read from it. */
  readonly stdin: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** The exit status, or 128 plus the signal's number. */
  readonly exited: Promise<number>;
};

/** The kernel's errors for a lack of processes, descriptors or memory. */
const exhausted = ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM'];

/** The causes of a failed exec. */
const hints: Readonly<Record<string, string>> = {
  EACCES: 'the user may not enter its directory, or may not execute it or its interpreter',
  ENOEXEC: 'the file or its interpreter is damaged or for another architecture',
};

type StartError = NodeJS.ErrnoException & {
  /** Undefined if a pipe failed. */
  readonly operation?: SpawnOperation;
};

const refusedBy = (path: string, user: User, error: unknown): RefusedError => {
  const { code = String(error), operation } = error as StartError;
  if (exhausted.includes(code)) {
    return new RefusedError('busy', `${path} cannot be started: ${code}`);
  }
  // The file itself exists: it was checked just before.
  if (isMissingFile(error)) {
    return new RefusedError(
      'not-found',
      `${path}: its interpreter (first line, or ELF loader) does not exist`,
    );
  }
  const hint = operation === 'exec' ? hints[code] : operation && `failed operation: ${operation}`;
  const text = `${path} cannot be started as ${user.name}: ${code}`;
  return new RefusedError('failed', hint === undefined ? text : `${text}; ${hint}`);
};

/**
 * The user to change to, which also drops all supplementary groups; undefined for the agent's own user.
 * @throws RefusedError if the agent is not run by root and the user is another
 */
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

/**
 * Starts the program without a shell. It blocks until the program is loaded, for less than a millisecond.
 * @throws RefusedError
 */
export const startProcess = (path: string, call: ServiceCall, user: User): ServiceProcess => {
  const as = identity(user);
  try {
    return start(path, call, user, as);
  } catch (error) {
    throw refusedBy(path, user, error);
  }
};
