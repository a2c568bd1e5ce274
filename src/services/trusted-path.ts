/** Whether only root, and whoever we run as, decide what a path leads to: what it names is run, perhaps as root. */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

const groupOrOthersWrite = 0o022;
/** As of /tmp: others may add names there, but not take away or replace what is not theirs. */
const sticky = 0o1000;

const complaint = (path: string, { uid, mode }: Stats, isTarget: boolean): string | undefined => {
  if (uid !== 0 && uid !== process.geteuid?.()) return `${path} belongs to user ${uid}`;
  if ((mode & groupOrOthersWrite) === 0) return undefined;
  if (!isTarget && (mode & sticky) !== 0) return undefined;
  return `${path} can be written by its group or by others (mode ${(mode & 0o7777).toString(8)})`;
};

/**
 * Who else could change it, as a text for the log; undefined if nobody. Looks at the file where symbolic
 * links lead and at each directory above it. Throws what realpath(3) and stat(2) do.
 */
export const distrust = (path: string): string | undefined => {
  const target = realpathSync(path);
  for (let at = target; ; at = dirname(at)) {
    const found = complaint(at, statSync(at), at === target);
    if (found !== undefined || at === '/') return found;
  }
};
