/** Takes out of the firewall what belongs to nobody any more, and cuts the flows that lived by it. */
import { type Element, elementAddress } from '../core/kernel-state.ts';
import type { Network } from '../net/network.ts';

const addressesOf = (elements: readonly Element[]): string[] => [
  ...new Set(elements.flatMap((element) => elementAddress(element) ?? [])),
];

/** Flows first: if that fails, the elements are still there to tell the next pass. Throws CommandError. */
export const sweep = async (elements: readonly Element[], network: Network): Promise<void> => {
  await network.cutFlows(addressesOf(elements));
  await network.nft.remove(elements);
};
