/** Programs of a root file system, run in it as they will be: in no other way it is certain that they start. */

import { attempt, type Finished } from '../../system/command.ts';
import { printable } from '../../text/printable.ts';

/** In OpenRC's order (PATH_PREFIX in its rc-misc.c), and the directory that our services add to it. */
export const searchPath = ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin'] as const;

/** Throws an Error if we are not root, or the program does not start; with the machine's own environment it gets nothing. */
export const runInside = async (root: string, argv: readonly string[]): Promise<Finished> => {
  if (process.geteuid?.() !== 0) {
    throw new Error(
      'whether it runs was not looked at, since only root may chroot: ' +
        'run this as root, or by "unshare --map-root-user"',
    );
  }
  const environment = [`PATH=${searchPath.join(':')}`, 'LC_ALL=C'];
  return await attempt(['env', '-i', ...environment, 'chroot', root, ...argv]);
};

/** The first line that says something, or the exit status; fit for a terminal. */
export const saidBy = ({ stdout, stderr, status }: Finished): string => {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  return printable(lines.find((line) => line !== '') ?? `exit status ${status}`);
};
