/** Reads /etc/vifwatch/rules.d: one policy file per VM. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePrefix } from '../../address/prefix.ts';
import { isProblem, type Problem, VifwatchError } from '../../errors.ts';
import { profileDirectory } from '../../package.ts';
import { isMissingFile } from '../../system/missing-file.ts';
import { type IsOpenForWriting, readSettled } from '../../system/settled-file.ts';
import { invalid } from '../../toml/strict-toml.ts';
import type { NetworkPolicy } from '../policy/policy.ts';
import { type PolicySet, policySetOf } from '../policy/policy-set.ts';
import { parsePolicyFile } from './policy-file.ts';

/** The profile of a VM without a policy file. */
const fallbackProfile = 'internet';

const suffix = '.toml';

const listFiles = async (directory: string): Promise<string[]> => {
  try {
    const names = await readdir(directory);
    // Editors' temporary files begin with a dot or have another suffix.
    return names.filter((name) => name.endsWith(suffix) && !name.startsWith('.')).sort();
  } catch (error) {
    if (isMissingFile(error)) return [];
    throw invalid(directory, `cannot be read: ${(error as Error).message}`);
  }
};

/** Undefined for a file that is being written. */
const readText = async (
  file: string,
  isOpenForWriting: IsOpenForWriting,
): Promise<string | undefined> => {
  try {
    return await readSettled(file, isOpenForWriting);
  } catch (error) {
    throw invalid(file, `cannot be read: ${(error as Error).message}`);
  }
};

const nobodyWrites: IsOpenForWriting = () => false;

/** The names of the package's profiles, sorted. */
export const listProfiles = async (): Promise<readonly string[]> =>
  (await listFiles(profileDirectory)).map((file) => file.slice(0, -suffix.length));

const loadProfile = async (name: string): Promise<NetworkPolicy> => {
  const file = join(profileDirectory, `${name}${suffix}`);
  const { rules } = parsePolicyFile(file, (await readText(file, nobodyWrites)) ?? '');
  return { key: name, rules };
};

/** Undefined for a file that is being written. */
const loadPolicy = async (
  file: string,
  key: string,
  isOpenForWriting: IsOpenForWriting,
): Promise<NetworkPolicy | undefined> => {
  const text = await readText(file, isOpenForWriting);
  if (text === undefined) return undefined;
  const { profile, rules } = parsePolicyFile(file, text);
  if (profile === undefined) return { key, rules };
  const known = await listProfiles();
  if (!known.includes(profile)) {
    const text = `unknown profile "${profile}"; known profiles: ${known.join(', ')}`;
    throw invalid(file, `profile: ${text}`);
  }
  return { key, rules: [...rules, ...(await loadProfile(profile)).rules] };
};

/** Only the first line of the message, since `status` shows one line. */
const problemOf = (error: unknown): Problem => {
  if (!(error instanceof VifwatchError)) throw error;
  return { code: 'POLICY_INVALID', text: error.message.split('\n', 1)[0] ?? '' };
};

const keyOf = (file: string): string => {
  const name = file.slice(0, -suffix.length);
  const prefix = parsePrefix(name);
  return 'problem' in prefix ? name : prefix.text;
};

/**
 * Reads all policy files. An invalid file becomes a Problem: it closes only its own VM. A file that is being
 * written changes nothing: the policy before stays, or the default without one.
 * @param before the previous set; without one, a file that is being written becomes a Problem
 * @throws VifwatchError CONFIG_INVALID if it cannot read the directory or the default profile
 */
export const loadPolicies = async (
  directory: string,
  before?: PolicySet,
  isOpenForWriting = nobodyWrites,
): Promise<PolicySet> => {
  const policies = new Map<string, NetworkPolicy | Problem>();
  const unsettled: string[] = [];
  for (const file of await listFiles(directory)) {
    const key = keyOf(file);
    const path = join(directory, file);
    const policy = policies.has(key)
      ? problemOf(invalid(path, `an earlier file is also for ${key}; remove one of them`))
      : await loadPolicy(path, key, isOpenForWriting).catch(problemOf);
    if (policy === undefined) unsettled.push(path);
    const unwritten = problemOf(invalid(path, 'a program is writing it'));
    const settled = policy ?? (before === undefined ? unwritten : before.policies.get(key));
    if (settled !== undefined) policies.set(key, settled);
  }
  return {
    ...policySetOf(policies, await loadProfile(fallbackProfile), before),
    unsettled,
  };
};

/** Returns the keys of all policies as a text. Throws an Error with the place of the first mistake. */
export const inspectPolicies = async (directory: string): Promise<string> => {
  const { policies } = await loadPolicies(directory);
  const bad = [...policies.values()].find(isProblem);
  if (bad !== undefined) throw new Error(bad.text);
  return `files for: ${[...policies.keys()].join(' ') || 'none'}`;
};
