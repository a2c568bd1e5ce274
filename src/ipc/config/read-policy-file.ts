/** Reading policy files and directories so that nothing half-read counts. */
import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A hundred thousand rules. */
export const largestFile = 8 * 1024 * 1024;

const suffix = '.policy';

/** Throws if it cannot be read, is no regular file or too large. */
export const readPolicyFile = async (path: string): Promise<Buffer> => {
  // Opening a FIFO would wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new Error('not a regular file');
    if (facts.size > largestFile) throw new Error(`larger than ${largestFile} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
};

/**
 * The names that end in `.policy` and do not begin with a dot, in the order in which they count; a directory that is
 * called so is no policy. Throws if the directory cannot be read.
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

/** Differs once the file or the list of the directory's policy files has changed. */
export const stampOf = async (path: string): Promise<string> => {
  const facts = await stat(path, { bigint: true });
  if (facts.isDirectory()) return (await listPolicyFiles(path)).join('/');
  const { dev, ino, size, mtimeNs, ctimeNs } = facts;
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
};
