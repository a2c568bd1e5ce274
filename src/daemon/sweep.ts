/** Takes out of the firewall what belongs to nobody any more, and cuts the flows that lived by it. */
import type { Element } from '../core/kernel-state.ts';
import type { Sweep } from '../core/plan.ts';
import type { Network } from '../net/network.ts';

const addressesOf = (elements: readonly Element[]): string[] => [
  ...new Set(
    elements.flatMap(({ set, parts }) =>
      set === 'address4' || set === 'address6' ? parts.slice(1) : [],
    ),
  ),
];

/** Flows first: if that fails, the elements are still there to tell the next pass. Throws CommandError. */
export const sweep = async (what: Sweep, network: Network): Promise<void> => {
  await network.cutFlows(addressesOf(what.elements));
  await network.nft.remove(what);
};
