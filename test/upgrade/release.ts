/** Earlier releases as their users have them. */
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { packageRoot } from '../../src/package.ts';

/**
 * The main.js of a release, for `node`. The first call ever unpacks the release and builds its addon, which takes as long
 * as the compiler does.
 */
export const releaseMain = async (version: string): Promise<string> => {
  const directory = `${packageRoot}/.cache/releases/${version}`;
  if (!existsSync(directory)) await execa('sh', [`${packageRoot}/test/setup/release.sh`, version]);
  return `${directory}/dist/main.js`;
};
