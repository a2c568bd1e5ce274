/** Finds and checks the programs of a root file system that run vifwatch or that vifwatch runs. */
import { basename } from 'node:path';
import { oldestNode } from '../../package.ts';
import { inspectProgram } from './binary.ts';
import { type Found, findFile, isThere } from './find-file.ts';
import { runInside, saidBy, searchPath } from './run-inside.ts';

export type RequiredProgram = {
  readonly name: string;
  /** The packages to install if the program is missing. */
  readonly packages: string;
  /** The argument that makes the program print its version. */
  readonly argument: string;
  /** Returns false for an output that shows a wrong program or version. */
  readonly accepts?: (said: string) => boolean;
};

const numbersOf = (version: string): readonly number[] => version.match(/\d+/g)?.map(Number) ?? [0];

/** Compares two versions number by number. */
const isAtLeast = (version: string, least: string): boolean => {
  const [found, wanted] = [numbersOf(version), numbersOf(least)];
  const at = wanted.findIndex((number, index) => number !== (found[index] ?? 0));
  return at < 0 || (found[at] ?? 0) > (wanted[at] ?? 0);
};

/** Node, in a version that the package supports. */
export const node: RequiredProgram = {
  name: 'node',
  packages: `nodejs, ${oldestNode()} or later`,
  argument: '--version',
  accepts: (said) => isAtLeast(said, oldestNode()),
};

/** The programs that net-vm's daemon runs. */
export const netVmPrograms: readonly RequiredProgram[] = [
  {
    name: 'ip',
    packages: 'iproute2 (busybox ip has no JSON)',
    argument: '-V',
    accepts: (said) => said.includes('iproute2'),
  },
  { name: 'nft', packages: 'nftables', argument: '--version' },
  {
    name: 'conntrack',
    packages: 'conntrack-tools (Debian: conntrack)',
    argument: '--version',
  },
];

/** Finds a program on the search path; like execvp(3), skips dangling links. Throws an Error without one. */
export const locate = (root: string, name: string, packages: string): string => {
  const paths = searchPath.map((directory) => `${directory}/${name}`);
  const path = paths.find((candidate) => isThere(root, candidate));
  if (path !== undefined) return path;
  throw new Error(`no ${name} in ${searchPath.join(', ')}: install ${packages}`);
};

const refuseBusybox = (
  { name, packages }: RequiredProgram,
  path: string,
  { path: end }: Found,
): void => {
  if (!basename(end).startsWith('busybox')) return;
  throw new Error(`${path} is busybox's ${name}: install ${packages}`);
};

/** Checks a program; resolves with its path and version. Throws an Error that also says what to do. */
export const inspectNamed = async (root: string, program: RequiredProgram): Promise<string> => {
  const { name, packages, argument, accepts } = program;
  const path = locate(root, name, packages);
  refuseBusybox(program, path, findFile(root, path));
  const { path: end } = await inspectProgram(root, path);
  const ran = await runInside(root, [path, argument]);
  const said = saidBy(ran);
  if (ran.status !== 0) throw new Error(`${path} does not run: ${said}: install ${packages}`);
  if (accepts?.(said) === false) throw new Error(`${path} says "${said}": install ${packages}`);
  return `${end}: ${said}`;
};

/** Finds Node. Throws an Error if it is missing. */
export const locateNode = (root: string): string => locate(root, node.name, node.packages);
