/** Checks that only root and our own user can change the file at a path: we run it, perhaps as root. */
import type { Stats } from 'node:fs';
import { wayTo } from './path-steps.ts';

const groupOrOthersWrite = 0o022;
/** The mode bit of /tmp: other users may add names, but not remove or replace files of another user. */
const sticky = 0o1000;

const complaint = (path: string, stats: Stats): string | undefined => {
  const { uid, mode } = stats;
  if (uid !== 0 && uid !== process.geteuid?.()) return `${path} belongs to user ${uid}`;
  // The kernel ignores a link's own permissions.
  if (stats.isSymbolicLink() || (mode & groupOrOthersWrite) === 0) return undefined;
  if (stats.isDirectory() && (mode & sticky) !== 0) return undefined;
  return `${path} can be written by its group or by others (mode ${(mode & 0o7777).toString(8)})`;
};

/**
 * Returns a text for the log that says which other user could change the file; undefined if none can.
 * Checks each directory and symbolic link on the way, and the file itself. Throws as `wayTo` does.
 * @param root the directory that stands for "/"
 */
export const distrust = (path: string, root = '/'): string | undefined => {
  for (const step of wayTo(path, root).steps) {
    const found = complaint(step.path, step.stats);
    if (found !== undefined) return found;
  }
  return undefined;
};
