/** Checks that the kernel and the dynamic loader of a root file system will accept one of its files. */
import { type Elf, foreignTo, parseElf } from './elf.ts';
import { fileKind } from './file-kind.ts';
import { type Found, findRegularFile, withFile } from './find-file.ts';
import { missingLibrary } from './libraries.ts';
import { runInside } from './run-inside.ts';

const anybodyMayRun = 0o111;

/** Throws an Error if nobody may execute the file. */
export const requireExecutable = (path: string, { stats }: Found): void => {
  if ((stats.mode & anybodyMayRun) === 0) throw new Error(`${path} is not executable: chmod 755`);
};

/** Throws an Error unless it is a whole ELF file for this machine. */
const readBinary = (path: string, { file, stats }: Found): Elf => {
  const [contents, elf] = withFile(file, (read) => [fileKind(read), parseElf(read)]);
  if ('what' in contents) throw new Error(`${path} ${contents.what}: put the program itself there`);
  if (contents.kind === 'script')
    throw new Error(
      `${path} is a script for ${contents.interpreter}: put the program itself there`,
    );
  if (elf === undefined || stats.size < elf.length) {
    throw new Error(`${path} is cut off after ${stats.size} bytes: copy it again`);
  }
  const foreign = foreignTo(process.arch, elf);
  if (foreign !== undefined) {
    throw new Error(
      `${path}: ${foreign}: check the root file system on a machine of its architecture`,
    );
  }
  return elf;
};

/** Throws an Error unless the loader finds all libraries that the file needs. */
const requireLibraries = async (
  root: string,
  path: string,
  loader: string,
  isProgram: boolean,
): Promise<void> => {
  requireExecutable(loader, findRegularFile(root, loader));
  const missing = missingLibrary(await runInside(root, [loader, '--list', path]), isProgram);
  if (missing !== undefined)
    throw new Error(`${path}: ${missing}: also install the libraries that it needs`);
};

/** Checks that a program can start, and resolves with its place. Throws an Error that says what is wrong. */
export const inspectProgram = async (root: string, path: string): Promise<Found> => {
  const found = findRegularFile(root, path);
  requireExecutable(path, found);
  const { interpreter } = readBinary(path, found);
  if (interpreter !== undefined) await requireLibraries(root, found.path, interpreter, true);
  return found;
};

/**
 * Checks a library that a program loads while it runs. The program's loader resolves what the library needs.
 * Throws an Error that says what is wrong.
 */
export const inspectLibrary = async (
  root: string,
  path: string,
  program: string,
): Promise<void> => {
  const found = findRegularFile(root, path);
  readBinary(path, found);
  const { interpreter } = readBinary(program, findRegularFile(root, program));
  if (interpreter === undefined) throw new Error(`${program} is static and loads no libraries`);
  await requireLibraries(root, found.path, interpreter, false);
};
