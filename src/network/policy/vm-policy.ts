/** A VM's policy with what it is compiled to. */
import type { NetworkPolicy } from './policy.ts';
import type { PolicyChains } from './policy-chain.ts';

/** A VM's policy names the packets that it may send and receive; the chains enforce it. */
export type VmPolicy = { readonly source: NetworkPolicy; readonly chains: PolicyChains };
