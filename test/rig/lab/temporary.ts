import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from '../../support/at-end.ts';

/**
 * Makes a directory that the caller removes. Otherwise it is removed when this process ends. Its name
 * contains this process's id.
 */
export const temporaryDirectory = async (name: string): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), `vifwatch-${name}.${process.pid}.`));
  atEnd(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
