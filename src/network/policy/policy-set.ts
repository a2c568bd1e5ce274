/** Which policy a vif has. */

import { type Prefix, parsePrefix } from '../../address/prefix.ts';
import type { Problem } from '../../errors.ts';
import { isProblem } from '../../errors.ts';
import type { NetworkPolicy } from './policy.ts';

/** The policies of /etc/vifwatch/rules.d; a file that is wrong stands there as its problem. */
export type PolicySet = {
  /** By what the file is called: a VM's name, or a canonical address. */
  readonly policies: ReadonlyMap<string, NetworkPolicy | Problem>;
  /** Whether any of them is by name. */
  readonly byName: boolean;
  /** For a VM of which no file speaks. */
  readonly fallback: NetworkPolicy;
};

const isAddress = (key: string): boolean => !('problem' in parsePrefix(key));

/**
 * @param before the last set, whose policies stay the same objects where nothing has changed, since what is made of
 *   a policy is kept with it
 */
export const policySetOf = (
  policies: ReadonlyMap<string, NetworkPolicy | Problem>,
  fallback: NetworkPolicy,
  before: PolicySet | undefined,
): PolicySet => {
  const familiar = <T>(now: T, then: T | undefined): T =>
    then !== undefined && JSON.stringify(now) === JSON.stringify(then) ? then : now;
  const kept = [...policies].map(
    ([key, policy]) => [key, familiar(policy, before?.policies.get(key))] as const,
  );
  return {
    policies: new Map(kept),
    byName: !kept.every(([key]) => isAddress(key)),
    fallback: familiar(fallback, before?.fallback),
  };
};

/** Every policy that some VM may have. */
export const everyPolicy = ({ policies, fallback }: PolicySet): NetworkPolicy[] => [
  ...[...policies.values()].flatMap((policy) => (isProblem(policy) ? [] : [policy])),
  fallback,
];

/**
 * A domain without a name gets nothing while there are policies by name: any of them may be meant.
 * @param name from /ipc/domain-map
 */
export const policyOf = (
  { policies, byName, fallback }: PolicySet,
  domid: number,
  name: string | undefined,
  prefixes: readonly Prefix[],
): NetworkPolicy | Problem => {
  const texts = prefixes.map(({ text }) => text);
  const keys = [...(name === undefined ? [] : [name]), ...texts].filter((key) => policies.has(key));
  const [key, second] = keys;
  if (second !== undefined) {
    return { code: 'POLICY_INVALID', text: `both ${key}.toml and ${second}.toml are for it` };
  }
  if (key !== undefined) return policies.get(key) ?? fallback;
  if (name === undefined && byName) {
    const text = `rules.d has files by name, and /ipc/domain-map none for domain ${domid}`;
    return { code: 'POLICY_UNNAMED', text };
  }
  return fallback;
};
