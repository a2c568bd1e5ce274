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
  /** The files that were being written. */
  readonly unsettled: readonly string[];
  /** The keys whose files have vanished, with the time at which their policies end: ms of a monotonic clock. */
  readonly vanished: ReadonlyMap<string, number>;
};

/**
 * Milliseconds for which the policy of a file that has vanished stays in force: editors and rsync put a new
 * file there in far less.
 */
export const vanishedMs = 5_000;

const isName = (key: string): boolean => 'problem' in parsePrefix(key);

/**
 * Builds a set. Policies that have not changed stay the same objects, since other modules cache results for
 * them.
 * @param before the previous set
 */
export const policySetOf = (
  policies: ReadonlyMap<string, NetworkPolicy | Problem>,
  fallback: NetworkPolicy,
  before: PolicySet | undefined,
): Omit<PolicySet, 'unsettled'> => {
  const familiar = <T>(now: T, then: T | undefined): T =>
    then !== undefined && JSON.stringify(now) === JSON.stringify(then) ? then : now;
  const kept = [...policies].map(
    ([key, policy]) => [key, familiar(policy, before?.policies.get(key))] as const,
  );
  return {
    policies: new Map(kept),
    byName: kept.some(([key]) => isName(key)),
    fallback: familiar(fallback, before?.fallback),
    vanished: new Map(),
  };
};

/**
 * Adds the policies of files that have vanished not long ago, so that the replacement of a file is never the
 * absence of a policy.
 */
export const keepVanished = (loaded: PolicySet, before: PolicySet, nowMs: number): PolicySet => {
  const policies = new Map(loaded.policies);
  const vanished = new Map<string, number>();
  for (const [key, policy] of before.policies) {
    if (loaded.policies.has(key)) continue;
    const until = before.vanished.get(key) ?? nowMs + vanishedMs;
    if (until <= nowMs) continue;
    policies.set(key, policy);
    vanished.set(key, until);
  }
  const byName = loaded.byName || [...vanished.keys()].some(isName);
  return { ...loaded, policies, byName, vanished };
};

/** All policies that a VM can have, the fallback included. */
export const everyPolicy = ({ policies, fallback }: PolicySet): NetworkPolicy[] => [
  ...[...policies.values()].flatMap((policy) => (isProblem(policy) ? [] : [policy])),
  fallback,
];

/** The names of VMs that have a file, or that a rule names. */
export const vmNamesIn = (policySet: PolicySet): readonly string[] => [
  ...[...policySet.policies.keys()].filter(isName),
  ...everyPolicy(policySet).flatMap(({ rules }) =>
    rules.flatMap(({ peer }) => (peer.kind === 'vms' ? peer.names : [])),
  ),
];

/**
 * The policy of a vif. While any file has a VM's name, a domain without a name gets a Problem, since any of
 * those files may be for it.
 * @param name the domain's name in /ipc/domain-map
 */
export const policyOf = (
  { policies, byName, fallback, vanished }: PolicySet,
  domid: Domid,
  name: string | undefined,
  prefixes: readonly Prefix[],
): NetworkPolicy | Problem => {
  const texts = prefixes.map(({ text }) => text);
  const keys = [...(name === undefined ? [] : [name]), ...texts].filter((key) => policies.has(key));
  // A file may have been renamed from the VM's name to its address, or back.
  const present = keys.filter((key) => !vanished.has(key));
  const [key, second] = present.length > 0 ? present : keys;
  if (second !== undefined) {
    return {
      code: 'POLICY_INVALID',
      text: `both ${key}.toml and ${second}.toml are for this vif; remove one`,
    };
  }
  if (key !== undefined) return policies.get(key) ?? fallback;
  if (name === undefined && byName) {
    const text = `rules.d has files for VM names, but domain ${domid} has no name in /ipc/domain-map that net-vm can find`;
    return { code: 'POLICY_UNNAMED', text };
  }
  return fallback;
};
