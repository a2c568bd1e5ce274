/**
 * A process's stdin, stdout and stderr. libuv would make them socket pairs, which cannot be opened by their names, as
 * scripts do with /dev/stdin, /dev/stdout and /dev/stderr.
 */
import { closeSync, fchownSync } from 'node:fs';
import { Socket } from 'node:net';
import { loadNative } from '../../xen/native.ts';

/** Of the pipes: to open something by its name takes its permission, even for who has it open. */
export type Owner = { readonly uid: number; readonly gid: number };

/** Descriptors, in the order of the process's. */
type Ends = readonly [stdin: number, stdout: number, stderr: number];

export type StdioPipes = { readonly ours: Ends; readonly theirs: Ends };

export const closeEnds = (ends: readonly number[]): void => {
  for (const end of ends) closeSync(end);
};

/** Throws an errno's Error, with nothing left open. Without an owner, they are ours. */
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

/** Closes the descriptor when it is destroyed, or has ended and all is written. */
export const writableEnd = (fd: number): Socket =>
  new Socket({ fd, readable: false, writable: true });

/** Closes the descriptor when it is destroyed, or all up to the end has been read. */
export const readableEnd = (fd: number): Socket =>
  new Socket({ fd, readable: true, writable: false });
