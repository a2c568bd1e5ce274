/** A VM's policy with what it is compiled to. */
import type { Policy } from './policy.ts';
import type { PolicyChains } from './policy-chain.ts';

/** What a VM may send and receive, and the chains that say so. */
export type VmPolicy = { readonly source: Policy; readonly chains: PolicyChains };
