/** The worker that closes vifs. */

import { defaultLinkOf } from '../../address/link-name.ts';
import type { Network } from '../kernel/network.ts';
import type { Plan } from '../plan/plan.ts';
import type { Backend } from '../store/backend.ts';
import { vifIdsOf } from '../store/vif-paths.ts';
import { neighbourRemoval, takeDownLines } from '../text/ip-batch.ts';
import type { ObservedState } from './observed-state.ts';
import type { Repair } from './repair.ts';
import { openWorker, type PlanWorker, type WorkEnd } from './worker.ts';

/**
 * Closes vifs: removes routes, sets links down, removes neighbour entries. Then it removes the backend
 * directories: dom0 waits for that. Failed lines are left to the next pass: in most cases the link has
 * vanished, and its routes with it. The set elements stay until garbage collection, which is slow and for
 * which dom0 need not wait: without a link and a route they guard nothing and open nothing.
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

type Ports = {
  readonly observed: Pick<ObservedState, 'touch' | 'invalidateLinks'>;
  readonly repair: Pick<Repair, 'logExcess'>;
  readonly takeDown: (todo: Plan) => Promise<void>;
  readonly worked: WorkEnd;
};

export const openTakeDownWorker = (ports: Ports): PlanWorker => {
  const { observed, repair, takeDown } = ports;
  const worker = openWorker(ports.worked);
  return {
    workers: [worker],
    start: (todo) => {
      const { links, routes, neighbours } = todo.takeDown;
      const work = links.length + routes.length + neighbours.length + todo.finish.length;
      if (!worker.isIdle() || work === 0) return;
      const finishing = todo.finish.map((key) => defaultLinkOf(vifIdsOf(key)));
      const touched = [...routes, ...neighbours].map(({ link }) => link);
      repair.logExcess({ routes: routes.filter(({ link }) => !links.includes(link)), neighbours });
      worker.start([...links, ...touched, ...finishing], async () => {
        await takeDown(todo);
        for (const key of todo.finish) observed.touch({ key, node: undefined });
        observed.invalidateLinks();
      });
    },
  };
};
