/** Puts a compiled mesh in the place of the last one, whole or not at all. */
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
import { invalid } from '../../toml/strict-toml.ts';
import type { Tree } from './compile.ts';
import { tableHeader } from './dom0-table.ts';

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Any version's. */
const mark = `${tableHeader.split(' ', 1)[0]} `;

/** Whether there is a compiled mesh; undefined if there is nothing. */
const isCompiled = async (directory: string): Promise<boolean | undefined> => {
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (isAbsent(error)) return undefined;
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

/** What writers that were killed have left; others may be at work just now. */
const removeStale = async (directory: string): Promise<void> => {
  const parent = dirname(directory);
  const prefix = temporaryPrefix(directory);
  for (const name of await readdir(parent)) {
    const [, pid] = /^(\d+)-\w{6}$/.exec(name.slice(prefix.length)) ?? [];
    if (!name.startsWith(prefix) || pid === undefined || isRunning(Number(pid))) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
};

/** Modes are set whatever the umask. */
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

/** Between the two there is neither for a moment: rename replaces no directory that has something in it. */
const swap = async (directory: string, found: boolean, work: string): Promise<void> => {
  if (found) await rename(directory, join(work, 'old'));
  try {
    await rename(join(work, 'new'), directory);
  } catch (error) {
    // If somebody else has put something there meanwhile, that stays.
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
 * Replaces the directory, whatever is in it, by the files; whoever is killed meanwhile leaves the old one, the new one or
 * none, and beside it what the next call removes. Throws CONFIG_INVALID if the directory is not one of ours or cannot be
 * written.
 */
export const writeTree = async (directory: string, tree: Tree): Promise<void> => {
  const path = resolve(directory);
  const real = await realpath(path).catch(() => path);
  try {
    const found = await isCompiled(real);
    if (found === false) {
      const remedy = 'name another directory, or remove it yourself';
      throw invalid(directory, `is there and was not made by "vifwatch mesh compile"; ${remedy}`);
    }
    await replace(real, found === true, tree);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw invalid(directory, `cannot be written: ${(error as Error).message}`);
  }
};
