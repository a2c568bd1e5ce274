/** Whether only root, and whoever we run as, decide what a path leads to: what it names is run, perhaps as root. */
import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

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

const namesOf = (path: string): string[] =>
  path.split('/').filter((name) => name !== '' && name !== '.');

/**
 * Who else could change it, as a text for the log; undefined if nobody. Looks at each directory and each symbolic link
 * on the way, and at the file. Throws what lstat(2) and stat(2) do.
 */
export const distrust = (path: string): string | undefined => {
  statSync(path); // it has no endless links
  const ahead = namesOf(resolve(path));
  let at = '/';
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    const next = name === '..' ? dirname(at) : join(at, name);
    const stats = lstatSync(next);
    const found = complaint(next, stats);
    if (found !== undefined) return found;
    if (!stats.isSymbolicLink()) {
      at = next;
      continue;
    }
    const target = readlinkSync(next);
    if (isAbsolute(target)) at = '/';
    ahead.unshift(...namesOf(target));
  }
  return undefined;
};
