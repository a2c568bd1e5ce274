/** Prevents the output from replacing its own sources. */
import { realpath } from 'node:fs/promises';
import { invalid } from '../../toml/strict-toml.ts';

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
