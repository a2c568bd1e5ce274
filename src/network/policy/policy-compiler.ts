/** Compiles policies, and only those again of which something they speak of has changed. */

import { hostsOf, isActive, type Policy } from './policy.ts';
import { type PolicyFacts, policyChains } from './policy-chain.ts';
import type { VmPolicy } from './vm-policy.ts';

/** All that the outcome depends on besides the policy itself. */
const dependencies = (policy: Policy, facts: PolicyFacts): string =>
  JSON.stringify([
    policy.rules.map((rule) => isActive(rule, facts.nowS)),
    policy.rules.flatMap(({ peer }) => (peer.is === 'vms' ? peer.names.map(facts.linksOf) : [])),
    hostsOf(policy).map((host) => facts.addressesOf(host) ?? null),
  ]);

export const openPolicyCompiler = () => {
  const compiled = new WeakMap<Policy, { readonly by: string; readonly result: VmPolicy }>();
  return (policy: Policy, facts: PolicyFacts): VmPolicy => {
    const by = dependencies(policy, facts);
    const known = compiled.get(policy);
    if (known?.by === by) return known.result;
    const result = { source: policy, chains: policyChains(policy, facts) };
    compiled.set(policy, { by, result });
    return result;
  };
};
