/** The worker that closes vifs. */

import { defaultLinkOf } from '../../address/link-name.ts';
import type { Plan } from '../plan/plan.ts';
import { vifIdsOf } from '../store/vif-paths.ts';
import type { ObservedState } from './observed-state.ts';
import type { Repair } from './repair.ts';
import { openWorker, type PlanWorker, type WorkEnd } from './worker.ts';

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
