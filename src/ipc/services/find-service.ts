/** From a request to a file in the directory of services. */
import { closeSync, lstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { distrust } from '../../system/trusted-path.ts';
import type { CallRequest } from '../protocol/call.ts';
import { socketPathBytes } from './limits.ts';
import { RefusedError } from './refused-error.ts';

export type ServiceFile = { readonly kind: 'executable' | 'socket'; readonly path: string };

/** The longest name that a directory can hold, of every file system that Linux has. */
const nameMax = 255;

/**
 * The names under which a request's files may be found, the more particular first. Checked here once more, since
 * they become paths, argv and environment. Throws RefusedError.
 */
export const fileNames = ({ service, argument }: CallRequest): readonly string[] => {
  if (!/^[A-Za-z0-9._-]+$/.test(service) || !/^[A-Za-z0-9._+-]*$/.test(argument)) {
    throw new RefusedError('failed', 'the request has characters that no service is called by');
  }
  if (service === '.' || service === '..') throw new RefusedError('not-found', `"${service}"`);
  return [`${service}+${argument}`, service];
};

const errno = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

/**
 * The first of `names` that is there. Anything but its absence ends the search, so that no weaker file
 * answers in its stead; `what` is for the message. Throws RefusedError.
 */
export const firstPresent = (
  directory: string,
  names: readonly string[],
  what: string,
): string | undefined => {
  // A longer one cannot be there.
  for (const name of names.filter(({ length }) => length <= nameMax)) {
    const path = join(directory, name);
    try {
      lstatSync(path);
      return path;
    } catch (error) {
      const code = errno(error);
      if (code !== 'ENOENT') throw new RefusedError('failed', `${what} ${path}: ${code}`);
    }
  }
  return undefined;
};

/** Throws RefusedError unless nobody else can change what the path leads to. */
export const requireTrust = (path: string): void => {
  const found = distrust(path);
  if (found !== undefined) throw new RefusedError('failed', `not trusted: ${found}`);
};

/** What execve(2) takes by itself; C libraries would hand anything else to a shell. */
const isProgram = (path: string): boolean => {
  const start = Buffer.alloc(4);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, start, 0, start.length, 0);
  } finally {
    closeSync(fd);
  }
  const text = start.toString('latin1');
  return text === '\x7fELF' || text.startsWith('#!');
};

const socketAt = (directory: string, path: string): ServiceFile => {
  // Where it leads is the resident service's own place; who may choose it is what counts.
  requireTrust(directory);
  if (Buffer.byteLength(path) > socketPathBytes) {
    throw new RefusedError(
      'failed',
      `${path} is longer than a socket's path may be (${socketPathBytes} bytes)`,
    );
  }
  return { kind: 'socket', path };
};

const executableAt = (directory: string, path: string, { mode }: Stats): ServiceFile => {
  requireTrust(directory);
  requireTrust(path);
  if ((mode & 0o111) === 0) throw new RefusedError('failed', `${path} is not executable`);
  if (!isProgram(path)) {
    throw new RefusedError(
      'failed',
      `${path} is no program: it begins neither with "#!" nor as an ELF file`,
    );
  }
  return { kind: 'executable', path };
};

const serviceAt = (directory: string, path: string): ServiceFile => {
  const stats = statSync(path);
  if (stats.isSocket()) return socketAt(directory, path);
  if (stats.isFile()) return executableAt(directory, path, stats);
  throw new RefusedError('failed', `${path} is neither an executable file nor a socket`);
};

/**
 * Throws RefusedError. All of it is synchronous: a few microseconds on a local file system, where a trip
 * through the thread pool for each step would cost more than they do together.
 */
export const findService = (directory: string, names: readonly string[]): ServiceFile => {
  const path = firstPresent(directory, names, 'service');
  if (path === undefined) {
    throw new RefusedError('not-found', `${directory} has no ${names.join(' and no ')}`);
  }
  try {
    return serviceAt(directory, path);
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    const code = errno(error);
    const reason = code === 'ENOENT' ? 'is a symbolic link to nothing' : code;
    throw new RefusedError('failed', `${path} ${reason}`);
  }
};
