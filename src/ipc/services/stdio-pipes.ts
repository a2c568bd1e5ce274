/**
 * A process's stdin, stdout and stderr as pipes. libuv would use socket pairs, but scripts open /dev/stdin,
 * /dev/stdout and /dev/stderr by name, and a socket cannot be opened.
 */
import { closeSync, fchownSync } from 'node:fs';
import { Socket } from 'node:net';
import { loadNative } from '../../xen/native.ts';

/**
 * The pipes' owner. A process needs permission to open a pipe by name, even if it has the pipe open already.
 */
export type Owner = { readonly uid: number; readonly gid: number };

/** Descriptors, in the order of the process's own 0, 1 and 2. */
type Ends = readonly [stdin: number, stdout: number, stderr: number];

type StdioPipes = { readonly ours: Ends; readonly theirs: Ends };

export const closeEnds = (ends: readonly number[]): void => {
  for (const end of ends) closeSync(end);
};

/**
 * Opens the pipes.
 * @param owner undefined for the agent's own user
 * @throws Error with an errno; no descriptor stays open then
 */
export const openStdioPipes = (owner: Owner | undefined): StdioPipes => {
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

/** A stream that closes the descriptor when it is destroyed, or when it has ended and all data is written. */
export const writableEnd = (fd: number): Socket =>
  new Socket({ fd, readable: false, writable: true });

/** A stream that closes the descriptor when it is destroyed, or when all data up to the end has been read. */
export const readableEnd = (fd: number): Socket =>
  new Socket({ fd, readable: true, writable: false });
