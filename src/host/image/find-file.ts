/** Files of a root file system that lies in a directory, found as it will find them itself. */
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { wayTo } from '../../system/path-steps.ts';

export type Found = {
  /** In the root file system, without links. */
  readonly path: string;
  /** The same on this machine. */
  readonly file: string;
  readonly stats: Stats;
};

const describe = (root: string, path: string, error: unknown): Error => {
  const { code, path: file = '' } = error as NodeJS.ErrnoException;
  const where = file.startsWith(root) ? file.slice(root === '/' ? 0 : root.length) : path;
  const why = code === 'ENOENT' ? 'is missing' : `cannot be looked at: ${code}`;
  return new Error(where === path ? `${path} ${why}` : `${path}: ${where} ${why}`);
};

/** Links that lead out of the root are followed in it. Throws an Error that says what is missing. */
export const findFile = (root: string, path: string): Found => {
  try {
    const { end } = wayTo(path, root);
    const file = join(root, end);
    return { path: end, file, stats: statSync(file) };
  } catch (error) {
    throw describe(root, path, error);
  }
};

/** Throws an Error that says what is missing, or that it is something else. */
export const findRegularFile = (root: string, path: string): Found => {
  const found = findFile(root, path);
  if (!found.stats.isFile()) throw new Error(`${path} is no regular file`);
  return found;
};

export const isThere = (root: string, path: string): boolean => {
  try {
    findFile(root, path);
    return true;
  } catch {
    return false;
  }
};

/** Reads up to `length` bytes at a position of a file; fewer at its end. */
export type ReadAt = (position: number, length: number) => Buffer;

/** Throws what open(2) does; `body` may ask for any position and length. */
export const withFile = <T>(file: string, body: (read: ReadAt) => T): T => {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    return body((position, length) => {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - position)));
      if (buffer.length === 0) return buffer;
      return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, position));
    });
  } finally {
    closeSync(fd);
  }
};
