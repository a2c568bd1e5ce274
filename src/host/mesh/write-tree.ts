/** Writes a compiled mesh, and replaces the output of an earlier compile as a whole. */
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isMissingFile } from '../../system/missing-file.ts';
import { invalid } from '../../toml/strict-toml.ts';
import type { Tree } from './compile.ts';
import { tableHeader } from './dom0-table.ts';

/** The first word of the table in dom0, in all versions. */
const mark = `${tableHeader.split(' ', 1)[0]} `;

/** True for a compiled mesh or an empty directory; undefined if the directory does not exist. */
const isCompiled = async (directory: string): Promise<boolean | undefined> => {
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (isMissingFile(error)) return undefined;
    throw error;
  }
  if (names.length === 0) return true;
  const table = await readFile(join(directory, 'dom0/mesh'), 'utf8').catch(() => '');
  return table.startsWith(mark);
};

const temporaryPrefix = (directory: string): string => `.${basename(directory)}.vifwatch-`;

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Removes the temporary directories of killed compilers. A compiler that still runs keeps its own. */
const removeStale = async (directory: string): Promise<void> => {
  const parent = dirname(directory);
  const prefix = temporaryPrefix(directory);
  for (const name of await readdir(parent)) {
    const [, pid] = /^(\d+)-\w{6}$/.exec(name.slice(prefix.length)) ?? [];
    if (!name.startsWith(prefix) || pid === undefined || isRunning(Number(pid))) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
};

/** Writes all files. It sets the modes itself, because the umask may remove bits. */
const fill = async (directory: string, tree: Tree): Promise<void> => {
  const directories = new Set([directory]);
  for (const [path, { text, mode }] of tree) {
    const file = join(directory, path);
    for (let at = dirname(file); !directories.has(at); at = dirname(at)) directories.add(at);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await chmod(file, mode);
  }
  for (const path of directories) await chmod(path, 0o755);
};

/** Replaces the directory in two steps, because rename(2) cannot replace a directory that is not empty. */
const swap = async (directory: string, found: boolean, work: string): Promise<void> => {
  if (found) await rename(directory, join(work, 'old'));
  try {
    await rename(join(work, 'new'), directory);
  } catch (error) {
    // Another program may have created the directory meanwhile. Then it stays, and the old output is lost.
    if (found) await rename(join(work, 'old'), directory).catch(() => undefined);
    throw error;
  }
};

const replace = async (directory: string, found: boolean, tree: Tree): Promise<void> => {
  await mkdir(dirname(directory), { recursive: true });
  const prefix = `${temporaryPrefix(directory)}${process.pid}-`;
  const work = await mkdtemp(join(dirname(directory), prefix));
  try {
    await fill(join(work, 'new'), tree);
    await swap(directory, found, work);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  await removeStale(directory);
};

/**
 * Replaces the directory and everything in it with the files. A compiler that is killed meanwhile leaves the
 * old directory, the new one or none, and a temporary directory that the next call removes.
 * @throws VifwatchError CONFIG_INVALID if no earlier compile created the directory, or if a write fails
 */
export const writeTree = async (directory: string, tree: Tree): Promise<void> => {
  const path = resolve(directory);
  const real = await realpath(path).catch(() => path);
  try {
    const found = await isCompiled(real);
    if (found === false) {
      const remedy = 'choose another directory, or remove it yourself';
      throw invalid(directory, `exists, but "vifwatch mesh compile" did not create it; ${remedy}`);
    }
    await replace(real, found === true, tree);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw invalid(directory, `cannot be written: ${(error as Error).message}`);
  }
};

/**
 * Checks that none of the files, which must exist, is in the directory.
 * @throws VifwatchError CONFIG_INVALID if one is
 */
export const requireOutsideOutput = async (
  directory: string,
  files: readonly string[],
): Promise<void> => {
  const output = await realpath(directory).catch(() => undefined);
  if (output === undefined) return;
  for (const file of files) {
    if (!`${await realpath(file)}/`.startsWith(`${output}/`)) continue;
    throw invalid(
      directory,
      `compiling would replace ${file}, which is in it; choose another directory`,
    );
  }
};
