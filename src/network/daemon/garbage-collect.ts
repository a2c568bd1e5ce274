/** Takes out of the firewall what belongs to nobody any more, and cuts the flows that lived by it. */

import type { Network } from '../kernel/network.ts';
import type { Plan } from '../plan/plan.ts';

/** Flows first: if that fails, the elements are still there to tell the next pass. Throws CommandError. */
export const garbageCollect = async (
  { garbage, cut }: Pick<Plan, 'garbage' | 'cut'>,
  network: Network,
): Promise<void> => {
  await network.cutFlows(cut);
  await network.nft.remove(garbage);
};
