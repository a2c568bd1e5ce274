/** Follows a path name by name as the kernel does, with any directory as "/". */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** A directory on the way, a symbolic link, or the file at the end. */
type Step = { readonly path: string; readonly stats: Stats };

type Way = {
  readonly steps: readonly Step[];
  /** The file's own path. Like all paths here it is relative to the root and contains no links. */
  readonly end: string;
};

/** MAXSYMLINKS of Linux's include/linux/namei.h. */
const mostLinks = 40;

const namesOf = (path: string): string[] =>
  path.split('/').filter((name) => name !== '' && name !== '.');

/** Throws lstat(2)'s errors, and ELOOP after 40 symbolic links. */
export const wayTo = (path: string, root = '/'): Way => {
  const steps: Step[] = [];
  const ahead = namesOf(resolve(path));
  let at = '/';
  let links = 0;
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    const next = name === '..' ? dirname(at) : join(at, name);
    const stats = lstatSync(join(root, next));
    steps.push({ path: next, stats });
    if (!stats.isSymbolicLink()) {
      at = next;
      continue;
    }
    links += 1;
    if (links > mostLinks) {
      const message = `ELOOP: too many symbolic links, '${path}'`;
      throw Object.assign(new Error(message), { code: 'ELOOP' });
    }
    const target = readlinkSync(join(root, next));
    if (isAbsolute(target)) at = '/';
    ahead.unshift(...namesOf(target));
  }
  return { steps, end: at };
};
