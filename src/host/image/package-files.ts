/** Checks that vifwatch's own package in a root file system is complete and runs there. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { addonFile, packageRoot, profileDirectory, version } from '../../package.ts';
import { inspectLibrary, inspectProgram, requireExecutable } from './binary.ts';
import { fileKind } from './file-kind.ts';
import { findFile, findRegularFile, isThere, withFile } from './find-file.ts';
import { locate, locateNode } from './programs.ts';
import { runInside, saidBy } from './run-inside.ts';

/** The addon's path in the package. */
export const addonPart = relative(packageRoot, addonFile);

const otherParts = (): readonly string[] => [
  'package.json',
  ...['readiness.sh', 'vifwatch.initd', 'vifwatch-agent.initd'].map((name) => `openrc/${name}`),
  ...readdirSync(profileDirectory).map((name) => `rules/${name}`),
];

/** Returns the bundle's files that its other files name. Most of them are loaded only when needed. */
const namedIn = (bundle: string): readonly string[] => {
  const names = new Set<string>();
  for (const name of readdirSync(bundle).filter((file) => file.endsWith('.js'))) {
    const text = readFileSync(join(bundle, name), 'utf8');
    for (const [, other = ''] of text.matchAll(/["']\.\/([\w-]+\.js)["']/g)) names.add(other);
  }
  return [...names];
};

const install = 'install the package there, as in vifwatch(8)';

/** Finds the command and the package's directory. Throws an Error that says what is missing. */
export const findPackage = (root: string): { readonly command: string; readonly at: string } => {
  const command = locate(root, 'vifwatch', 'the package there, as in vifwatch(8)');
  const { path } = findRegularFile(root, command);
  const at = dirname(dirname(path));
  if (isThere(root, `${at}/package.json`)) return { command, at };
  throw new Error(`${command} leads to ${path}, which is not in a package: ${install}`);
};

/** Checks that the command, a script for `env` and Node, runs. Throws an Error that says what is wrong. */
export const inspectCommand = async (root: string): Promise<string> => {
  const { command } = findPackage(root);
  const found = findRegularFile(root, command);
  requireExecutable(command, found);
  const contents = withFile(found.file, fileKind);
  if (contents.kind !== 'script') {
    throw new Error(
      `${command} ${'what' in contents ? contents.what : 'is not the script of vifwatch'}: ${install}`,
    );
  }
  await inspectProgram(root, contents.interpreter);
  const ran = await runInside(root, [locateNode(root), found.path, '--version']);
  const said = saidBy(ran);
  if (ran.status !== 0) throw new Error(`${found.path} does not run: ${said}: ${install}`);
  if (said !== version) {
    throw new Error(`${found.path} is version ${said}, but this vifwatch is version ${version}`);
  }
  return `${found.path} runs, version ${said}`;
};

const requireText = (root: string, path: string): void => {
  const { file } = findRegularFile(root, path);
  const contents = withFile(file, fileKind);
  if (contents.kind === 'elf') throw new Error(`${path} is an ELF file`);
  if (contents.kind === 'nothing') throw new Error(`${path} ${contents.what}`);
};

/** Checks all files of the package except the addon. Throws an Error that says what is wrong. */
export const inspectPackage = (root: string): string => {
  const { at } = findPackage(root);
  try {
    const bundle = namedIn(findFile(root, `${at}/dist`).file).map((name) => `dist/${name}`);
    const parts = [...otherParts(), ...bundle];
    for (const part of parts) requireText(root, `${at}/${part}`);
    return `${at} has all its ${parts.length} files`;
  } catch (error) {
    throw new Error(`${(error as Error).message}: ${install}`);
  }
};

const build = 'npm run install in the package builds it, for the machine on which npm runs';

/** Checks that Node in the root file system can load the addon. Throws an Error that says what is wrong. */
export const inspectAddon = async (root: string): Promise<string> => {
  const node = locateNode(root);
  const path = `${findPackage(root).at}/${addonPart}`;
  if (!isThere(root, path)) throw new Error(`${path} is missing: ${build}`);
  await inspectLibrary(root, path, node);
  const load = 'process.dlopen({ exports: {} }, process.argv[1])';
  const ran = await runInside(root, [node, '-e', load, path]);
  if (ran.status === 0) return `${path} loads`;
  const error = ran.stderr.split('\n').find((line) => line.startsWith('Error: '));
  throw new Error(
    `${path} does not load: ${error?.slice('Error: '.length) ?? saidBy(ran)}: ${build}`,
  );
};
