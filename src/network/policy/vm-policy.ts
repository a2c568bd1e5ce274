/** A VM's policy together with its compiled chains. */
import type { NetworkPolicy } from './policy.ts';
import type { PolicyChains } from './policy-chain.ts';

/** `source` is the policy as written; `chains` enforce it. */
export type VmPolicy = { readonly source: NetworkPolicy; readonly chains: PolicyChains };
