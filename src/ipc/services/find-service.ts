/** Finds the file of a requested service in the services directory. */
import { closeSync, lstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMissingFile } from '../../system/missing-file.ts';
import { distrust } from '../../system/trusted-path.ts';
import type { CallRequest } from '../protocol/call.ts';
import { socketPathBytes } from './limits.ts';
import { RefusedError } from './refused-error.ts';

export type ServiceFile = { readonly kind: 'executable' | 'socket'; readonly path: string };

/** The longest file name on any Linux file system, in bytes. */
const nameMax = 255;

/**
 * The file names for a request, the more specific one first. The request is checked here again, because it
 * becomes a part of paths, argv and the environment.
 * @throws RefusedError
 */
export const fileNames = ({ service, argument }: CallRequest): readonly string[] => {
  if (!/^[A-Za-z0-9._-]+$/.test(service) || !/^[A-Za-z0-9._+-]*$/.test(argument)) {
    throw new RefusedError('failed', 'the request has invalid characters');
  }
  if (service === '.' || service === '..') throw new RefusedError('not-found', `"${service}"`);
  return [`${service}+${argument}`, service];
};

const errno = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

/**
 * The path of the first name that exists. Any error but absence ends the search, so that no less specific
 * file answers instead.
 * @param what the kind of file, for the message
 * @throws RefusedError
 */
export const firstPresent = (
  directory: string,
  names: readonly string[],
  what: string,
): string | undefined => {
  // A longer name cannot exist.
  for (const name of names.filter(({ length }) => length <= nameMax)) {
    const path = join(directory, name);
    try {
      lstatSync(path);
      return path;
    } catch (error) {
      if (isMissingFile(error)) continue;
      throw new RefusedError('failed', `${what} ${path}: ${errno(error)}`);
    }
  }
  return undefined;
};

/** @throws RefusedError if any user but root and the agent's own can change the file behind the path */
export const requireTrust = (path: string): void => {
  const found = distrust(path);
  if (found !== undefined) throw new RefusedError('failed', `not trusted: ${found}`);
};

/** Whether execve(2) can run the file itself. C libraries would run any other file with a shell. */
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
  // Only the services directory must be trusted: a link from there to a socket is the operator's choice.
  requireTrust(directory);
  if (Buffer.byteLength(path) > socketPathBytes) {
    throw new RefusedError(
      'failed',
      `${path} is too long for a socket path (limit: ${socketPathBytes} bytes)`,
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
      `${path} is not a program: it must be an ELF file or begin with "#!"`,
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
 * Finds the service's file. It is synchronous: it takes a few microseconds on a local file system, and the
 * thread pool would cost more.
 * @throws RefusedError
 */
export const findService = (directory: string, names: readonly string[]): ServiceFile => {
  const path = firstPresent(directory, names, 'service');
  if (path === undefined) {
    throw new RefusedError('not-found', `${directory} does not contain ${names.join(' or ')}`);
  }
  try {
    return serviceAt(directory, path);
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    const target = 'is a symbolic link whose target does not exist';
    const reason = isMissingFile(error) ? target : errno(error);
    throw new RefusedError('failed', `${path} ${reason}`);
  }
};
