/** Compiles policies, and compiles a policy again only if a fact that it uses has changed. */

import { hostsOf, isActive, type NetworkPolicy } from './policy.ts';
import { type PolicyFacts, policyChains, type VmPolicy } from './policy-chain.ts';

/** The facts on which the result depends, besides the policy itself. */
const dependencies = (policy: NetworkPolicy, facts: PolicyFacts): string =>
  JSON.stringify([
    policy.rules.map((rule) => isActive(rule, facts.nowS)),
    policy.rules.flatMap(({ peer }) => (peer.kind === 'vms' ? peer.names.map(facts.linksOf) : [])),
    hostsOf(policy).map((host) => facts.addressesOf(host) ?? null),
  ]);

/** Returns a compile function with a cache; equal facts give the same object. */
export const openPolicyCompiler = () => {
  const compiled = new WeakMap<
    NetworkPolicy,
    { readonly key: string; readonly result: VmPolicy }
  >();
  return (policy: NetworkPolicy, facts: PolicyFacts): VmPolicy => {
    const key = dependencies(policy, facts);
    const known = compiled.get(policy);
    if (known?.key === key) return known.result;
    const result = { source: policy, chains: policyChains(policy, facts) };
    compiled.set(policy, { key, result });
    return result;
  };
};
