/** A short hash of a policy's rules, which shows whether two places have the same policy. */
import { createHash } from 'node:crypto';
import type { CallRule } from './call-rule.ts';

/** The rule as a line of the grammar, with sorted parameters and single spaces. Its file does not matter. */
export const canonicalText = ({ words }: CallRule): string => {
  const [service, argument, source, destination, action, ...parameters] = words.map(
    ({ text }) => text,
  );
  return [service, argument, source, destination, action, ...parameters.sort()].join(' ');
};

/** The length of the hash, 128 bits: the kernel's command line has little room. */
const digits = 32;

/**
 * Returns the first 32 hex digits of a SHA-256 over the rules in order. Comments, files and spacing do not
 * count.
 */
export const policyHash = (rules: readonly CallRule[]): string => {
  const hash = createHash('sha256');
  for (const rule of rules) hash.update(`${canonicalText(rule)}\n`);
  return hash.digest('hex').slice(0, digits);
};
