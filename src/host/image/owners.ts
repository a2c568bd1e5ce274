/** Who can change what will run as root in a root file system. */
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
    return []; // Its own line says what is missing.
  }
};

/** All that is in a directory. Links are not followed: Node 22's own recursive listing follows them, out of the root, too. */
const below = (directory: string): readonly string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? [path, ...below(path)] : [path];
  });

/** The directory and all that is in it. */
const tree = (root: string, path: string): readonly string[] => {
  if (!isThere(root, path)) return [];
  const { file, stats } = findFile(root, path);
  if (!stats.isDirectory()) return [path];
  return [path, ...below(file).map((inner) => `${path}${inner.slice(file.length)}`)];
};

/** What is run or read as root. @param etc the directory of the configuration */
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
 * Throws an Error that says what others can change. What is not there is not looked at.
 * As in the VM, it must be root's, or that of whoever looks: who packs an image may give all of it to root.
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
