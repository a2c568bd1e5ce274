/** Takes out of the firewall what belongs to nobody any more, and cuts the flows that lived by it. */
import { type Element, keyOfElement } from '../core/kernel-state.ts';
import type { Network } from '../net/network.ts';

const addressOf = ({ set, parts }: Element): string | undefined =>
  set === 'address4' || set === 'address6' ? parts[1] : undefined;

export const sweep = async (elements: readonly Element[], network: Network): Promise<void> => {
  await network.nft.remove(elements);
  for (const address of new Set(elements.map(addressOf))) {
    if (address !== undefined) await network.cutFlows(address);
  }
};

/** For the log. */
export const describe = (elements: readonly Element[]): string[] => elements.map(keyOfElement);
