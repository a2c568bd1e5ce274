/** Reads a file that no process is writing. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Whether a process has the file of this descriptor open for writing. */
export type IsOpenForWriting = (descriptor: number) => boolean;

/**
 * Reads a regular file.
 * @returns undefined if a process is writing the file: what is there may be half of what is meant
 * @throws Error if the file cannot be read or is not a regular file
 */
export const readSettled = async (
  path: string,
  isOpenForWriting: IsOpenForWriting,
): Promise<string | undefined> => {
  // With O_NONBLOCK, opening a FIFO does not wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const before = await file.stat({ bigint: true });
    if (!before.isFile()) throw new Error('not a regular file');
    const text = await file.readFile('utf8');
    if (isOpenForWriting(file.fd)) return undefined;
    const after = await file.stat({ bigint: true });
    const isUnchanged = after.mtimeNs === before.mtimeNs && after.size === before.size;
    return isUnchanged ? text : undefined;
  } finally {
    await file.close();
  }
};
