/** Whether only root, and whoever we run as, decide what a path leads to: what it names is run, perhaps as root. */
import type { Stats } from 'node:fs';
import { wayTo } from './path-steps.ts';

const groupOrOthersWrite = 0o022;
/** As of /tmp: others may add names there, but not take away or replace what is not theirs. */
const sticky = 0o1000;

const complaint = (path: string, stats: Stats): string | undefined => {
  const { uid, mode } = stats;
  if (uid !== 0 && uid !== process.geteuid?.()) return `${path} belongs to user ${uid}`;
  // A link has no permissions of its own.
  if (stats.isSymbolicLink() || (mode & groupOrOthersWrite) === 0) return undefined;
  if (stats.isDirectory() && (mode & sticky) !== 0) return undefined;
  return `${path} can be written by its group or by others (mode ${(mode & 0o7777).toString(8)})`;
};

/**
 * Who else could change it, as a text for the log; undefined if nobody. Looks at each directory and each symbolic link
 * on the way, and at the file. Throws what lstat(2) does.
 * @param root what stands for "/"
 */
export const distrust = (path: string, root = '/'): string | undefined => {
  for (const step of wayTo(path, root).steps) {
    const found = complaint(step.path, step.stats);
    if (found !== undefined) return found;
  }
  return undefined;
};
