/** Checks that only root can change the files that will run as root in a root file system. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { distrust } from '../../system/trusted-path.ts';
import { findFile, isThere } from './find-file.ts';
import { addonPart, findPackage } from './package-files.ts';
import { locate, type RequiredProgram } from './programs.ts';
import type { ServiceName } from './service.ts';

const orNone = <T>(look: () => T): readonly T[] => {
  try {
    return [look()];
  } catch {
    return []; // Another check reports the missing file.
  }
};

/**
 * Lists all files below a directory without following links. Node 22's own recursive listing follows them,
 * even out of the root.
 */
const below = (directory: string): readonly string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? [path, ...below(path)] : [path];
  });

/** Lists the directory and all files below it, as paths in the root. */
const tree = (root: string, path: string): readonly string[] => {
  if (!isThere(root, path)) return [];
  const { file, stats } = findFile(root, path);
  if (!stats.isDirectory()) return [path];
  return [path, ...below(file).map((inner) => `${path}${inner.slice(file.length)}`)];
};

/** Returns the files that are run or read as root. `etc` is the directory of the configuration. */
export const filesThatMatter = (
  root: string,
  what: {
    readonly programs: readonly RequiredProgram[];
    readonly service: ServiceName;
    readonly etc: string;
  },
): readonly string[] => {
  const packages = orNone(() => findPackage(root));
  return [
    ...what.programs.flatMap(({ name, packages }) => orNone(() => locate(root, name, packages))),
    ...packages.map(({ command }) => command),
    ...packages.flatMap(({ at }) =>
      ['dist', 'rules', 'openrc', addonPart].flatMap((part) => tree(root, `${at}/${part}`)),
    ),
    ...[`/etc/init.d/${what.service}`, `/etc/conf.d/${what.service}`],
    ...tree(root, what.etc),
  ];
};

/**
 * Throws an Error that names a file that another user can change. Missing files are skipped. As in the VM,
 * each file must belong to root or to our own user: an image may be built by a user, and packed as root's.
 */
export const inspectOwners = (root: string, paths: readonly string[]): string => {
  const there = [...new Set(paths)].filter((path) => isThere(root, path));
  const complaints = there
    .map((path) => distrust(path, root))
    .filter((complaint) => complaint !== undefined);
  const [first, ...others] = [...new Set(complaints)];
  if (first === undefined) return `only root can change the ${there.length} files that matter`;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  throw new Error(`${first}${more}; chown root:root, chmod go-w`);
};
