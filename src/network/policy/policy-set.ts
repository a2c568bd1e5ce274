/** Chooses a vif's policy. */

import type { Domid } from '../../address/domid.ts';
import { type Prefix, parsePrefix } from '../../address/prefix.ts';
import { isProblem, type Problem } from '../../errors.ts';
import type { NetworkPolicy } from './policy.ts';

/** The policies of /etc/vifwatch/rules.d; an invalid file is a Problem. */
export type PolicySet = {
  /** The key is the file's name without suffix: a VM's name or a canonical address. */
  readonly policies: ReadonlyMap<string, NetworkPolicy | Problem>;
  /** Whether any key is a VM's name. */
  readonly byName: boolean;
  /** The policy of a VM without a file. */
  readonly fallback: NetworkPolicy;
};

const isAddress = (key: string): boolean => !('problem' in parsePrefix(key));

/**
 * Builds a set. Policies that have not changed stay the same objects, since other modules cache results for
 * them.
 * @param before the previous set
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

/** All policies that a VM can have, the fallback included. */
export const everyPolicy = ({ policies, fallback }: PolicySet): NetworkPolicy[] => [
  ...[...policies.values()].flatMap((policy) => (isProblem(policy) ? [] : [policy])),
  fallback,
];

/**
 * The policy of a vif. While any file has a VM's name, a domain without a name gets a Problem, since any of
 * those files may be for it.
 * @param name the domain's name in /ipc/domain-map
 */
export const policyOf = (
  { policies, byName, fallback }: PolicySet,
  domid: Domid,
  name: string | undefined,
  prefixes: readonly Prefix[],
): NetworkPolicy | Problem => {
  const texts = prefixes.map(({ text }) => text);
  const keys = [...(name === undefined ? [] : [name]), ...texts].filter((key) => policies.has(key));
  const [key, second] = keys;
  if (second !== undefined) {
    return {
      code: 'POLICY_INVALID',
      text: `both ${key}.toml and ${second}.toml are for this vif; remove one`,
    };
  }
  if (key !== undefined) return policies.get(key) ?? fallback;
  if (name === undefined && byName) {
    const text = `rules.d has files for VM names, but domain ${domid} has no name in /ipc/domain-map`;
    return { code: 'POLICY_UNNAMED', text };
  }
  return fallback;
};
