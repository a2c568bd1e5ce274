/** The configuration in a root file system, as what runs there will read it. */

import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { isProblem } from '../../errors.ts';
import { parseAgentConfig } from '../../ipc/config/agent-config.ts';
import { loadPolicy } from '../../ipc/config/load-policy.ts';
import { type Config, loadConfig } from '../../network/config/config.ts';
import { loadPolicies } from '../../network/config/policies.ts';
import { profileDirectory } from '../../package.ts';
import { placeText } from '../../text/diagnostic.ts';
import { readOptional } from '../../toml/strict-toml.ts';
import { findFile, isThere } from './find-file.ts';

/** As this machine follows links; undefined if that leads nowhere. */
const realPath = (path: string): string | undefined => {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
};

/** Where it is on this machine, or would be. Throws an Error if a link leads to nothing there, and to something here. */
const placeOf = (root: string, path: string): string => {
  if (isThere(root, path)) return findFile(root, path).file;
  const place = join(root, path);
  if (realPath(place) === undefined) return place;
  throw new Error(`${path} is a link to what is missing there: put it there, or remove the link`);
};

/** Throws an Error if a link in a directory leads elsewhere here than it will in the VM. */
const requireOwnFiles = (root: string, directory: string): void => {
  if (!isThere(root, directory)) return;
  const { file: place } = findFile(root, directory);
  for (const name of readdirSync(place)) {
    const path = `${directory}/${name}`;
    if (realPath(join(place, name)) === realPath(findFile(root, path).file)) continue;
    throw new Error(`${path} is a link that only the VM can follow: make it a relative one`);
  }
};

/** Throws an Error with the place of what is wrong. @param file in the root file system */
export const loadNetVmConfig = async (root: string, file: string): Promise<Config> =>
  await loadConfig(placeOf(root, file));

/** The policies of VMs' vifs. Throws an Error with the place of what is wrong. */
export const inspectVifPolicies = async (root: string, directory: string): Promise<string> => {
  requireOwnFiles(root, directory);
  const { policies } = await loadPolicies(placeOf(root, directory), profileDirectory);
  const bad = [...policies.values()].find(isProblem);
  if (bad !== undefined) throw new Error(bad.text);
  return `of their own: ${[...policies.keys()].join(' ') || 'none'}`;
};

/** agent.toml; of the kernel's command line, nothing is known yet. Throws an Error with the place of what is wrong. */
export const inspectAgentConfig = async (root: string, path: string): Promise<string> => {
  const file = placeOf(root, path);
  const { serve, connect } = parseAgentConfig(file, await readOptional(file), '');
  const served = serve.everyone ? ['everyone'] : serve.names;
  return `${path}: serves ${served.join(' ') || 'none'}, connects to ${connect.join(' ') || 'none'}`;
};

/** The policy of calls. Throws an Error with the place of what is wrong. @param root without links */
export const inspectCallPolicy = async (root: string, directory: string): Promise<string> => {
  requireOwnFiles(root, directory);
  const { policy, rules, files, directories } = await loadPolicy(placeOf(root, directory));
  const inside = root === '/' ? root : `${root}/`;
  const outside = directories.find((path) => !`${realPath(path) ?? path}/`.startsWith(inside));
  if (outside !== undefined) {
    throw new Error(`it includes what is in ${outside}, which only the VM can look at`);
  }
  switch (policy.kind) {
    case 'rules':
      return `${rules.length} rules in ${files} files`;
    case 'absent':
      return `${directory} is not there: every call is denied`;
    case 'invalid': {
      const [first, ...others] = policy.diagnostics;
      const more = others.length === 0 ? '' : `, and ${others.length} more`;
      throw new Error(`${first && placeText(first.place)}: ${first?.text}${more}`);
    }
  }
};
