/** Installs earlier releases from their packages. */
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { packageRoot } from '../../src/package.ts';

/**
 * The path of a release's main.js. The first call on a machine unpacks the release and compiles its addon.
 */
export const releaseMain = async (version: string): Promise<string> => {
  const directory = `${packageRoot}/.cache/releases/${version}`;
  if (!existsSync(directory)) await execa('sh', [`${packageRoot}/test/setup/release.sh`, version]);
  return `${directory}/dist/main.js`;
};
