/** How much of net-vm's shared resources each vif may take. */

export type Shares = {
  /** Open flows: those that the VM opens, and as many again that hosts outside open to it. */
  readonly flows: number;
  /** New flows per second, in each of these directions. */
  readonly newFlows: number;
  /** Fragments per second. */
  readonly fragments: number;
  /** ND messages, ARP requests, and new next hops on the uplinks: each kind per second. */
  readonly neighbours: number;
  /** ICMP errors that net-vm sends to the VM per second. */
  readonly icmpErrors: number;
};

/** A rate per second, and what a vif may take at once after a pause. */
export type ShareRate = { readonly perSecond: number; readonly burst: number };

const rate = (perSecond: number, burstSeconds: number): ShareRate => ({
  perSecond,
  burst: perSecond * burstSeconds,
});

/** The rates; the bursts let a VM start everything at once. */
export const ratesOf = ({ newFlows, fragments, neighbours, icmpErrors }: Shares) => ({
  newFlows: rate(newFlows, 4),
  fragments: rate(fragments, 1),
  neighbours: rate(neighbours, 3),
  nextHops: rate(neighbours, 5),
  icmpErrors: rate(icmpErrors, 2),
});
