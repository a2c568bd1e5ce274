import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes a directory for who removes it in the end; should that be left out, it goes when this process exits. */
export const temporaryDirectory = async (name: string): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), `vifwatch-${name}.`));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
