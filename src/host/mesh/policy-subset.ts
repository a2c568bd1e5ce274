/** What of the central call policy concerns one VM. */

import { largestFile } from '../../ipc/config/read-policy-file.ts';
import type { CallRule } from '../../ipc/policy/call-rule.ts';
import { canonicalText, policyHash } from '../../ipc/policy/policy-hash.ts';
import { longestLine } from '../../ipc/policy/policy-text.ts';

/** What is unknown stays: it denies. */
const canBe = ({ kind, text }: CallRule['destination'], vm: string): boolean =>
  kind === 'named' ? text === vm : kind !== 'never';

/** The rules that can decide a call to the VM, in their order. */
export const subsetFor = (vm: string, rules: readonly CallRule[]): readonly CallRule[] =>
  rules.filter(({ destination }) => canBe(destination, vm));

/** A policy file that holds the rules, without inclusions. */
export const subsetText = (vm: string, rules: readonly CallRule[]): string =>
  [
    `# Made by "vifwatch mesh compile": the rules of the central policy that can concern ${vm}.`,
    '# A change here makes the audit fail: change those, and compile again.',
    ...rules.map(canonicalText),
    '',
  ].join('\n');

/** By VM: a file that holds its rules, and the hash by which it is known. */
export type Subsets = ReadonlyMap<string, { readonly text: string; readonly hash: string }>;

export const subsetsFor = (vms: Iterable<string>, rules: readonly CallRule[]): Subsets => {
  const subsets = new Map<string, { text: string; hash: string }>();
  for (const vm of vms) {
    const subset = subsetFor(vm, rules);
    subsets.set(vm, { text: subsetText(vm, subset), hash: policyHash(subset) });
  }
  return subsets;
};

/** A rule that became longer than the grammar allows when its inclusion was dissolved. */
export const tooLong = (rules: readonly CallRule[]): CallRule | undefined =>
  rules.find((rule) => canonicalText(rule).length > longestLine);

/** Whether the file is more than a VM reads. */
export const isTooLarge = (text: string): boolean => Buffer.byteLength(text) > largestFile;
