/** Removes elements and chains that no vif needs any more, and cuts the flows of their addresses. */

import type { Network } from '../kernel/network.ts';
import type { Plan } from '../plan/plan.ts';

/**
 * Cuts the flows first: if that fails, the elements are still there, and the next pass plans the cut again.
 * @throws CommandError
 */
export const garbageCollect = async (
  { garbage, cut }: Pick<Plan, 'garbage' | 'cut'>,
  network: Network,
): Promise<void> => {
  await network.cutFlows(cut);
  await network.nft.remove(garbage);
};
