/** Checks the configuration in a root file system, as the daemon there will read it. */

import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { parseAgentConfig } from '../../ipc/config/agent-config.ts';
import { loadPolicy } from '../../ipc/config/load-policy.ts';
import { type Config, loadConfig } from '../../network/config/config.ts';
import { inspectPolicies } from '../../network/config/policies.ts';
import { firstOfDiagnostics } from '../../text/diagnostic.ts';
import { readOptional } from '../../toml/strict-toml.ts';
import { findFile, isThere } from './find-file.ts';

/** Follows links on this machine, not in the root; undefined if they lead nowhere. */
const realPath = (path: string): string | undefined => {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
};

/**
 * Returns the path's place on this machine; the file need not exist. Throws an Error if a link leads nowhere
 * in the root but to a file of this machine.
 */
const placeOf = (root: string, path: string): string => {
  if (isThere(root, path)) return findFile(root, path).file;
  const place = join(root, path);
  if (realPath(place) === undefined) return place;
  throw new Error(
    `${path} links to a file that is missing there: add the file, or remove the link`,
  );
};

/** Throws an Error if a link in the directory leads to different files on this machine and in the VM. */
const requireOwnFiles = (root: string, directory: string): void => {
  if (!isThere(root, directory)) return;
  const { file: place } = findFile(root, directory);
  for (const name of readdirSync(place)) {
    const path = `${directory}/${name}`;
    if (realPath(join(place, name)) === realPath(findFile(root, path).file)) continue;
    throw new Error(`${path} is a link that only the VM can follow: make it relative`);
  }
};

/** Loads vifwatch.toml. Throws an Error with the place of a mistake. @param file a path in the root */
export const loadNetVmConfig = async (root: string, file: string): Promise<Config> =>
  await loadConfig(placeOf(root, file));

/** Checks the policies of the vifs. Throws an Error with the place of the first mistake. */
export const inspectVifPolicies = async (root: string, directory: string): Promise<string> => {
  requireOwnFiles(root, directory);
  return await inspectPolicies(placeOf(root, directory));
};

/** Checks agent.toml; the kernel command line is unknown here. Throws an Error with a mistake's place. */
export const inspectAgentConfig = async (root: string, path: string): Promise<string> => {
  const file = placeOf(root, path);
  const { serve, connect } = parseAgentConfig(file, await readOptional(file), '');
  const served = serve.everyone ? ['everyone'] : serve.names;
  return `${path}: serves ${served.join(' ') || 'none'}, connects to ${connect.join(' ') || 'none'}`;
};

/** Checks the call policy. Throws an Error with the place of the first mistake. @param root a real path */
export const inspectCallPolicy = async (root: string, directory: string): Promise<string> => {
  requireOwnFiles(root, directory);
  const { policy, rules, files, directories } = await loadPolicy(placeOf(root, directory));
  const inside = root === '/' ? root : `${root}/`;
  const outside = directories.find((path) => !`${realPath(path) ?? path}/`.startsWith(inside));
  if (outside !== undefined) {
    throw new Error(`it includes files of ${outside}, which only the VM itself can read`);
  }
  switch (policy.kind) {
    case 'rules':
      return `${rules.length} rules in ${files} files`;
    case 'absent':
      return `${directory} does not exist: every call is denied`;
    case 'invalid':
      throw new Error(firstOfDiagnostics(policy.diagnostics));
  }
};
