/** Finds the services that would refuse their first call. */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
} from 'node:fs';
import { fileNames, findService } from './find-service.ts';
import { findUser } from './passwd.ts';
import { loadServiceConfig } from './service-config.ts';

/** The longest first line that the kernel reads (BINPRM_BUF_SIZE). */
const longestLine = 256;

const firstLine = (path: string): string => {
  const start = Buffer.alloc(longestLine);
  const file = openSync(path, 'r');
  try {
    const length = readSync(file, start, 0, start.length, 0);
    return start.toString('latin1', 0, length).split('\n', 1)[0] ?? '';
  } finally {
    closeSync(file);
  }
};

/** Returns the reason for which the kernel cannot run the script; undefined for a program of another kind. */
const interpreterProblem = (path: string): string | undefined => {
  const line = firstLine(path);
  if (!line.startsWith('#!')) return undefined;
  if (line.endsWith('\r')) return 'its lines end with CR LF: save it with LF';
  const interpreter = /^#![ \t]*([^ \t]*)/.exec(line)?.[1] ?? '';
  if (!interpreter.startsWith('/'))
    return `its interpreter "${interpreter}" is not an absolute path`;
  try {
    accessSync(interpreter, constants.X_OK);
    return undefined;
  } catch {
    return `its interpreter ${interpreter} does not exist or is not executable`;
  }
};

const userProblem = (user: string | undefined): string | undefined =>
  user === undefined || findUser(readFileSync('/etc/passwd', 'utf8'), user) !== undefined
    ? undefined
    : `/etc/passwd has no user "${user}"`;

/** Returns the reason for which a call of the service would be refused; undefined if none is known. */
const problemOf = (
  directory: string,
  configDirectory: string,
  file: string,
): string | undefined => {
  const [service = '', argument] = file.split(/\+(.*)/s);
  const names = fileNames({ target: '', service, argument: argument ?? '' });
  const { kind, path } = findService(directory, [file]);
  const { user } = loadServiceConfig(
    configDirectory,
    argument === undefined ? [file] : names,
    kind,
  );
  if (kind === 'socket') return undefined;
  const problem = interpreterProblem(path) ?? userProblem(user);
  return problem === undefined ? undefined : `${path}: ${problem}`;
};

export type InspectedService = { readonly name: string; readonly problem: string | undefined };

/**
 * Looks at each service as a call would, without starting any.
 * @throws Error if the directory cannot be read
 */
export const inspectServices = (
  directory: string,
  configDirectory: string,
): readonly InspectedService[] =>
  readdirSync(directory)
    .sort()
    .map((name) => {
      try {
        return { name, problem: problemOf(directory, configDirectory, name) };
      } catch (error) {
        return { name, problem: (error as Error).message };
      }
    });
