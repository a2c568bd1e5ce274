/** The worker that brings vifs up, and repairs them. */

import type { Plan } from '../plan/plan.ts';
import type { BatchWindow } from './batch-window.ts';
import type { BringUpJob, BringUpResult } from './bring-up.ts';
import type { LinkTimeout } from './link-timeout.ts';
import type { ObservedState } from './observed-state.ts';
import type { Repair } from './repair.ts';
import { openWorker, type PlanWorker, type WorkEnd } from './worker.ts';

type Ports = {
  readonly observed: Pick<
    ObservedState,
    'vifs' | 'touch' | 'invalidateElements' | 'invalidateLinks'
  >;
  readonly linkTimeout: Pick<LinkTimeout, 'mayTry' | 'failed' | 'succeeded'>;
  readonly repair: Pick<Repair, 'isAllowed' | 'record' | 'gatewaysToAdd'>;
  readonly batchWindow: BatchWindow;
  readonly bringUp: (job: BringUpJob) => Promise<readonly BringUpResult[]>;
  /** False while all vifs must stay closed. */
  readonly mayOpen: () => boolean;
  /** Called after each wait for more links. */
  readonly waited: WorkEnd;
  /** Called after each round. */
  readonly worked: WorkEnd;
};

const recordResult = ({ vif, outcome }: BringUpResult, { observed, linkTimeout }: Ports): void => {
  if (outcome === 'open') observed.touch({ key: vif.key, node: 'hotplug-status' });
  else if (outcome !== 'guarded') observed.touch({ key: vif.key, node: undefined });
  if (typeof outcome === 'object') {
    linkTimeout.failed(vif.key, outcome);
    // The cause may be that the daemon's tables are missing.
    observed.invalidateElements();
  } else {
    linkTimeout.succeeded(vif.key);
  }
};

const runRound = async (job: BringUpJob, ports: Ports): Promise<void> => {
  const { observed } = ports;
  try {
    for (const result of await ports.bringUp(job)) recordResult(result, ports);
  } finally {
    if (job.bringUps.some(({ open }) => open) || job.gateways.length > 0)
      observed.invalidateLinks();
  }
};

/** The vifs that may be brought up now, with what the store says of them. */
const candidatesOf = (
  { bringUp }: Plan,
  { observed, linkTimeout, repair }: Ports,
): BringUpJob['bringUps'] => {
  const byKey = observed.vifs();
  return bringUp.flatMap((opening) => {
    const vif = byKey.get(opening.served.key);
    if (vif === undefined || !linkTimeout.mayTry(vif.key)) return [];
    const candidate = { ...opening, vif };
    return repair.isAllowed(candidate) ? [candidate] : [];
  });
};

/** Its first worker waits for the links of a burst, its second worker brings them up. */
export const openBringUpWorker = (ports: Ports): PlanWorker => {
  const { repair, batchWindow } = ports;
  const batchWorker = openWorker(ports.waited);
  const bringUpWorker = openWorker(ports.worked);
  return {
    workers: [batchWorker, bringUpWorker],
    start: (todo) => {
      if (!batchWorker.isIdle() || !bringUpWorker.isIdle() || !ports.mayOpen()) return;
      const { host } = todo;
      const bringUps = candidatesOf(todo, ports);
      const isAnyReady = bringUps.some(({ open }) => open);
      const delay = batchWindow.delayBefore(isAnyReady, todo.coming);
      if (delay !== undefined) {
        batchWorker.start([], delay);
        return;
      }
      const gateways = repair.gatewaysToAdd(todo.gateways);
      const shared = host.elements.length + host.chains.length;
      if (bringUps.length + shared + gateways.length === 0) return;
      repair.record(bringUps);
      const links = bringUps.map(({ served: { link } }) => link);
      bringUpWorker.start(links, () => runRound({ bringUps, host, gateways }, ports));
    },
  };
};
