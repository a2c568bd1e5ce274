/** Selects the rules of the central call policy that concern one VM. */

import { largestFile } from '../../ipc/config/read-policy-file.ts';
import type { CallRule } from '../../ipc/policy/call-rule.ts';
import { canonicalText, policyHash } from '../../ipc/policy/policy-hash.ts';
import { longestLine } from '../../ipc/policy/policy-text.ts';

/** True if the destination can be the VM. An unknown kind of destination can, because such a rule denies. */
const canBe = ({ kind, text }: CallRule['destination'], vm: string): boolean =>
  kind === 'named' ? text === vm : kind !== 'never';

/** Returns the rules that can decide a call to the VM, in their order. */
export const subsetFor = (vm: string, rules: readonly CallRule[]): readonly CallRule[] =>
  rules.filter(({ destination }) => canBe(destination, vm));

/** Writes the rules as a policy file without inclusions. */
export const subsetText = (vm: string, rules: readonly CallRule[]): string =>
  [
    `# Made by "vifwatch mesh compile": the rules of the central policy that can concern ${vm}.`,
    '# Change the central policy and compile again: a change here makes the audit fail.',
    ...rules.map(canonicalText),
    '',
  ].join('\n');

/** By VM name: the text of its policy file, and the hash of its rules. */
export type Subsets = ReadonlyMap<string, { readonly text: string; readonly hash: string }>;

/** Returns the subsets of all VMs. */
export const subsetsFor = (vms: Iterable<string>, rules: readonly CallRule[]): Subsets => {
  const subsets = new Map<string, { text: string; hash: string }>();
  for (const vm of vms) {
    const subset = subsetFor(vm, rules);
    subsets.set(vm, { text: subsetText(vm, subset), hash: policyHash(subset) });
  }
  return subsets;
};

/** Returns a rule whose canonical text is longer than the grammar allows for a line. */
export const tooLong = (rules: readonly CallRule[]): CallRule | undefined =>
  rules.find((rule) => canonicalText(rule).length > longestLine);

/** True if the file is larger than the agent accepts. */
export const isTooLarge = (text: string): boolean => Buffer.byteLength(text) > largestFile;
