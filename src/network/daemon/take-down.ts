/** Closes vifs: routes, then links and neighbours; then the backend directories that dom0 waits for. */

import type { Network } from '../kernel/network.ts';
import type { Plan } from '../plan/plan.ts';
import type { Backend } from '../store/backend.ts';
import { neighbourRemoval, takeDownLines } from '../text/ip-batch.ts';

/**
 * Lines that fail are left to the next pass: mostly the link has gone by itself and took its routes along.
 * The set elements stay until `garbageCollect`, which is slow and which dom0 need not wait for: without a link
 * or a route they guard nothing and open nothing.
 */
export const takeDown = async (
  { takeDown: closing, finish }: Pick<Plan, 'takeDown' | 'finish'>,
  { network, backend }: { readonly network: Network; readonly backend: Backend },
): Promise<void> => {
  await network.ipBatches.run(takeDownLines(closing));
  // One by one, since ip gives up a batch over a neighbour that has gone meanwhile.
  for (const neighbour of closing.neighbours) {
    await network.ipBatches.run([neighbourRemoval(neighbour)]);
  }
  await Promise.all(finish.map((key) => backend.remove(key)));
};
