/** Runs programs of a root file system inside it, because only that proves that they start. */

import { attempt, type Finished } from '../../system/command.ts';
import { printable } from '../../text/printable.ts';

/** OpenRC's search path (PATH_PREFIX in its rc-misc.c), and the directory that our services add to it. */
export const searchPath = ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin'] as const;

/**
 * Runs a program in the root file system, without the environment of this process. Throws an Error if we are
 * not root, and as `attempt` does.
 */
export const runInside = async (root: string, argv: readonly string[]): Promise<Finished> => {
  if (process.geteuid?.() !== 0) {
    throw new Error(
      'vifwatch cannot check whether it runs, because only root may chroot: ' +
        'check as root, or with "unshare --map-root-user"',
    );
  }
  const environment = [`PATH=${searchPath.join(':')}`, 'LC_ALL=C'];
  return await attempt(['env', '-i', ...environment, 'chroot', root, ...argv]);
};

/** Returns the first output line that is not blank, or the exit status. The text is safe for a terminal. */
export const saidBy = ({ stdout, stderr, status }: Finished): string => {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  return printable(lines.find((line) => line !== '') ?? `exit status ${status}`);
};
