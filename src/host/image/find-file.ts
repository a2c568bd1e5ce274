/** Finds the files of a root file system in a directory, as the VM itself will find them. */
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMissingFile } from '../../system/missing-file.ts';
import { wayTo } from '../../system/path-steps.ts';

export type Found = {
  /** The path in the root file system, without links. */
  readonly path: string;
  /** The same file's path on this machine. */
  readonly file: string;
  readonly stats: Stats;
};

const describe = (root: string, path: string, error: unknown): Error => {
  const { code, path: file = '' } = error as NodeJS.ErrnoException;
  const where = file.startsWith(root) ? file.slice(root === '/' ? 0 : root.length) : path;
  const why = isMissingFile(error) ? 'is missing' : `cannot be checked: ${code}`;
  return new Error(where === path ? `${path} ${why}` : `${path}: ${where} ${why}`);
};

/** Finds a file. Absolute links start at the root. Throws an Error that says what is missing. */
export const findFile = (root: string, path: string): Found => {
  try {
    const { end } = wayTo(path, root);
    const file = join(root, end);
    return { path: end, file, stats: statSync(file) };
  } catch (error) {
    throw describe(root, path, error);
  }
};

/** Finds a regular file. Throws an Error that says what is missing, or that the file is not regular. */
export const findRegularFile = (root: string, path: string): Found => {
  const found = findFile(root, path);
  if (!found.stats.isFile()) throw new Error(`${path} is not a regular file`);
  return found;
};

/** True if `findFile` finds the file. */
export const isThere = (root: string, path: string): boolean => {
  try {
    findFile(root, path);
    return true;
  } catch {
    return false;
  }
};

/** Reads `length` bytes of a file from a position, or fewer at the file's end. */
export type ReadAt = (position: number, length: number) => Buffer;

/** Opens a file for `body`, which may read at any position. Throws open(2)'s errors. */
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
