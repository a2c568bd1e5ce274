/** A policy's rules as one short word, by which two places can tell that they have the same. */
import { createHash } from 'node:crypto';
import type { CallRule } from './call-rule.ts';

/** The rule as a line of the grammar, whatever file it came from: its parameters by name, single spaces. */
export const canonicalText = ({ words }: CallRule): string => {
  const [service, argument, source, destination, action, ...parameters] = words.map(
    ({ text }) => text,
  );
  return [service, argument, source, destination, action, ...parameters.sort()].join(' ');
};

/** 128 bits: a kernel's command line is short. */
const digits = 32;

/** The first 32 hex digits of a SHA-256 over the rules in their order; comments, files and spacing do not count. */
export const policyHash = (rules: readonly CallRule[]): string => {
  const hash = createHash('sha256');
  for (const rule of rules) hash.update(`${canonicalText(rule)}\n`);
  return hash.digest('hex').slice(0, digits);
};
