/** What of the central call policy concerns one VM. */
import { canonicalText } from '../call-policy/policy-hash.ts';
import { longestLine } from '../call-policy/policy-text.ts';
import { largestFile } from '../call-policy/read-policy-file.ts';
import type { Rule } from '../call-policy/rule.ts';

/** What is unknown stays: it denies. */
const canBe = ({ is, text }: Rule['destination'], vm: string): boolean =>
  is === 'named' ? text === vm : is !== 'never';

/** The rules that can decide a call to the VM, in their order. */
export const subsetFor = (vm: string, rules: readonly Rule[]): readonly Rule[] =>
  rules.filter(({ destination }) => canBe(destination, vm));

/** A policy file that holds the rules, without inclusions. */
export const subsetText = (vm: string, rules: readonly Rule[]): string =>
  [
    `# Made by "vifwatch mesh compile": the rules of the central policy that can concern ${vm}.`,
    '# A change here makes the audit fail: change those, and compile again.',
    ...rules.map(canonicalText),
    '',
  ].join('\n');

/** A rule that became longer than the grammar allows when its inclusion was dissolved. */
export const tooLong = (rules: readonly Rule[]): Rule | undefined =>
  rules.find((rule) => canonicalText(rule).length > longestLine);

/** Whether the file is more than a VM reads. */
export const isTooLarge = (text: string): boolean => Buffer.byteLength(text) > largestFile;
