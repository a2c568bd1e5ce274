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

/** @param isKnown whether the directory had files: then it may be missing only for a moment */
const listFiles = async (directory: string, isKnown: boolean): Promise<string[]> => {
  try {
    const names = await readdir(directory);
    // Editors' temporary files begin with a dot or have another suffix.
    return names.filter((name) => name.endsWith(suffix) && !name.startsWith('.')).sort();
  } catch (error) {
    if (isMissingFile(error) && !isKnown) return [];
    throw invalid(directory, `cannot be read: ${(error as Error).message}`);
  }
};

/** A file without a text: a program is writing it, or it has just vanished. */
type Unreadable = 'unsettled' | 'vanished';

const isUnreadable = <T>(read: T | Unreadable): read is Unreadable =>
  read === 'unsettled' || read === 'vanished';

type FileText = { readonly text: string };

const readText = async (
  file: string,
  isOpenForWriting: IsOpenForWriting,
): Promise<FileText | Unreadable> => {
  try {
    const text = await readSettled(file, isOpenForWriting);
    return text === undefined ? 'unsettled' : { text };
  } catch (error) {
    if (isMissingFile(error)) return 'vanished';
    throw invalid(file, `cannot be read: ${(error as Error).message}`);
  }
};

const nobodyWrites: IsOpenForWriting = () => false;

/** The names of the package's profiles, sorted. */
export const listProfiles = async (): Promise<readonly string[]> =>
  (await listFiles(profileDirectory, false)).map((file) => file.slice(0, -suffix.length));

const loadProfile = async (name: string): Promise<NetworkPolicy> => {
  const file = join(profileDirectory, `${name}${suffix}`);
  const read = await readText(file, nobodyWrites);
  if (isUnreadable(read)) throw invalid(file, 'the profile is missing');
  return { key: name, rules: parsePolicyFile(file, read.text).rules };
};

const loadPolicy = async (
  file: string,
  key: string,
  isOpenForWriting: IsOpenForWriting,
): Promise<NetworkPolicy | Unreadable> => {
  const read = await readText(file, isOpenForWriting);
  if (isUnreadable(read)) return read;
  const { profile, rules } = parsePolicyFile(file, read.text);
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
 * @throws VifwatchError CONFIG_INVALID if it cannot read the directory or the default profile, or if a directory
 * that had files is missing
 */
export const loadPolicies = async (
  directory: string,
  before?: PolicySet,
  isOpenForWriting = nobodyWrites,
): Promise<PolicySet> => {
  const policies = new Map<string, NetworkPolicy | Problem>();
  const unsettled: string[] = [];
  const hadFiles = before !== undefined && before.policies.size > 0;
  for (const file of await listFiles(directory, hadFiles)) {
    const key = keyOf(file);
    const path = join(directory, file);
    const policy = policies.has(key)
      ? problemOf(invalid(path, `an earlier file is also for ${key}; remove one of them`))
      : await loadPolicy(path, key, isOpenForWriting).catch(problemOf);
    if (policy === 'vanished') continue;
    if (policy === 'unsettled') unsettled.push(path);
    const unwritten = problemOf(invalid(path, 'a program is writing it'));
    const kept = before === undefined ? unwritten : before.policies.get(key);
    const settled = policy === 'unsettled' ? kept : policy;
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
