/**
 * Closes vifs: removes routes, sets links down, removes neighbour entries. Then it removes the backend
 * directories: dom0 waits for that.
 */

import type { Network } from '../kernel/network.ts';
import type { Plan } from '../plan/plan.ts';
import type { Backend } from '../store/backend.ts';
import { neighbourRemoval, takeDownLines } from '../text/ip-batch.ts';

/**
 * Failed lines are left to the next pass: in most cases the link has vanished, and its routes with it. The
 * set elements stay until `garbageCollect`, which is slow and for which dom0 need not wait: without a link
 * and a route they guard nothing and open nothing.
 * @throws CommandError if ip does not work, XenstoreError if xenstored refuses to remove a directory
 */
export const takeDown = async (
  { takeDown: closing, finish }: Pick<Plan, 'takeDown' | 'finish'>,
  { network, backend }: { readonly network: Network; readonly backend: Backend },
): Promise<void> => {
  await network.ipBatches.run(takeDownLines(closing));
  // One batch per entry, since ip stops a batch at a neighbour entry that has vanished meanwhile.
  for (const neighbour of closing.neighbours) {
    await network.ipBatches.run([neighbourRemoval(neighbour)]);
  }
  await Promise.all(finish.map((key) => backend.remove(key)));
};
