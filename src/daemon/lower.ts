/** Closes vifs: routes, then links and neighbours; then the backend directories that dom0 waits for. */
import { lowerLines, neighbourRemoval } from '../core/ip-batch.ts';
import type { Plan } from '../core/plan.ts';
import type { Network } from '../net/network.ts';
import type { Backend } from '../xen/backend.ts';

/**
 * Lines that fail are left to the next pass: mostly the link has gone by itself and took its routes along.
 * The set elements stay until `sweep`, which is slow and which dom0 need not wait for: without a link
 * or a route they guard nothing and open nothing.
 */
export const lower = async (
  { lower: closing, finish }: Pick<Plan, 'lower' | 'finish'>,
  { network, backend }: { readonly network: Network; readonly backend: Backend },
): Promise<void> => {
  await network.ipBatches.run(lowerLines(closing));
  // One by one, since ip gives up a batch over a neighbour that has gone meanwhile.
  for (const neighbour of closing.neighbours) {
    await network.ipBatches.run([neighbourRemoval(neighbour)]);
  }
  await Promise.all(finish.map((key) => backend.remove(key)));
};
