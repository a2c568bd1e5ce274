/** The worker that removes unused elements and chains from the firewall. */

import type { Logger } from 'pino';
import type { Network } from '../kernel/network.ts';
import type { Plan } from '../plan/plan.ts';
import { elementLink, keyOfElement } from '../state/element.ts';
import type { ObservedState } from './observed-state.ts';
import type { Repair } from './repair.ts';
import { openWorker, type PlanWorker, type WorkEnd } from './worker.ts';

/**
 * Removes elements and chains, and cuts the flows of their addresses. It cuts the flows first: if that fails,
 * the elements are still there, and the next pass plans the cut again.
 * @throws CommandError
 */
export const garbageCollect = async (
  { garbage, cut }: Pick<Plan, 'garbage' | 'cut'>,
  network: Network,
): Promise<void> => {
  await network.cutFlows(cut);
  await network.nft.remove(garbage);
};

type Ports = {
  readonly observed: Pick<ObservedState, 'removed'>;
  readonly repair: Pick<Repair, 'logExcess'>;
  readonly garbageCollect: (todo: Plan) => Promise<void>;
  readonly log: Pick<Logger, 'debug'>;
  readonly worked: WorkEnd;
};

export const openGarbageWorker = (ports: Ports): PlanWorker => {
  const { observed, repair, garbageCollect, log } = ports;
  const worker = openWorker(ports.worked);
  return {
    workers: [worker],
    start: (todo) => {
      const { elements, chains } = todo.garbage;
      if (!worker.isIdle() || elements.length + chains.length === 0) return;
      repair.logExcess({ elements });
      const links = elements.flatMap((element) => elementLink(element) ?? []);
      worker.start(links, async () => {
        await garbageCollect(todo);
        observed.removed(todo.garbage);
        log.debug(
          { elements: elements.map(keyOfElement), chains },
          'removed unused elements and chains from the firewall',
        );
      });
    },
  };
};
