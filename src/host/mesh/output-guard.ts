/** That what is compiled does not take the place of what it is compiled from. */
import { realpath } from 'node:fs/promises';
import { invalid } from '../../toml/strict-toml.ts';

/** Throws CONFIG_INVALID if one of the files, which are there, lies in the directory. */
export const requireOutsideOutput = async (
  directory: string,
  files: readonly string[],
): Promise<void> => {
  const output = await realpath(directory).catch(() => undefined);
  if (output === undefined) return;
  for (const file of files) {
    if (!`${await realpath(file)}/`.startsWith(`${output}/`)) continue;
    throw invalid(directory, `all in it is replaced, and ${file} is in it; name another directory`);
  }
};
