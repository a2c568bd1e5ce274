import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from '../../support/at-end.ts';

/**
 * Makes a directory for who removes it in the end; should that be left out, it goes when this process ends. Its name
 * says which process that is.
 */
export const temporaryDirectory = async (name: string): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), `vifwatch-${name}.${process.pid}.`));
  atEnd(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
