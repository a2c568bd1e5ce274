/** Reads policy files and directories, with stamps that show a change during the read. */
import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { IsOpenForWriting } from '../../system/settled-file.ts';

/** The greatest size of a policy file in bytes: about 100 000 rules. */
export const largestFile = 8 * 1024 * 1024;

const suffix = '.policy';

/** `isWritten`: a process has the file open for writing, so the bytes may be half of what is meant. */
type PolicyBytes = { readonly bytes: Buffer; readonly isWritten: boolean };

/** @throws Error if the file cannot be read, is not a regular file or is too large */
export const readPolicyFile = async (
  path: string,
  isOpenForWriting: IsOpenForWriting,
): Promise<PolicyBytes> => {
  // With O_NONBLOCK, opening a FIFO does not wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new Error('not a regular file');
    if (facts.size > largestFile) throw new Error(`larger than ${largestFile} bytes`);
    const bytes = await file.readFile();
    return { bytes, isWritten: isOpenForWriting(file.fd) };
  } finally {
    await file.close();
  }
};

/**
 * Lists the policy files in the order in which they apply: names that end in `.policy` and do not begin with
 * a dot. Directories are left out.
 * @throws Error if the directory cannot be read
 */
export const listPolicyFiles = async (directory: string): Promise<string[]> => {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .filter((name) => name.endsWith(suffix) && !name.startsWith('.'))
    .sort();
  const isDirectory = async (name: string): Promise<boolean> =>
    (await stat(join(directory, name)).catch(() => undefined))?.isDirectory() === true;
  const directories = await Promise.all(names.map(isDirectory));
  return names.filter((_, at) => !directories[at]);
};

/** Returns a text that changes when the file, or the directory's list of policy files, changes. */
export const stampOf = async (path: string): Promise<string> => {
  const facts = await stat(path, { bigint: true });
  if (facts.isDirectory()) return (await listPolicyFiles(path)).join('/');
  const { dev, ino, size, mtimeNs, ctimeNs } = facts;
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
};
