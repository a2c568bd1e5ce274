/** The worker that brings vifs up, and repairs them. */

import type { Plan } from '../plan/plan.ts';
import type { BackendVif } from '../vif/backend-vif.ts';
import type { BatchWindow } from './batch-window.ts';
import type { BringUpJob, BringUpResult } from './bring-up.ts';
import type { LinkTimeout } from './link-timeout.ts';
import type { ObservedState } from './observed-state.ts';
import type { Repair } from './repair.ts';
import { openWorker, type PlanWorker, type WorkEnd, type Worker } from './worker.ts';

type Ports = {
  readonly observed: Pick<
    ObservedState,
    'vifs' | 'touch' | 'invalidateElements' | 'invalidateLinks'
  >;
  readonly linkTimeout: Pick<LinkTimeout, 'mayTry' | 'hasFailed' | 'failed' | 'succeeded'>;
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

type BringUpWorker = PlanWorker & {
  /** Whether it waits for links, or brings vifs up together. */
  readonly isBusyTogether: () => boolean;
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

/** The number of vifs that are brought up alone at the same time. */
const mostAlone = 4;

const noHost: Plan['host'] = { elements: [], chains: [] };

/**
 * Its first worker waits for the links of a burst, its second worker brings them up. A vif whose last attempt
 * failed is brought up alone by one of the others: it may fail or hang again, and delays no other vif then.
 */
export const openBringUpWorker = (ports: Ports): BringUpWorker => {
  const { repair, batchWindow, linkTimeout } = ports;
  const batchWorker = openWorker(ports.waited);
  const bringUpWorker = openWorker(ports.worked);
  const alone = Array.from({ length: mostAlone }, () => openWorker(ports.worked));

  const run = (worker: Worker, job: BringUpJob): void => {
    repair.record(job.bringUps);
    const links = job.bringUps.map(({ served: { link } }) => link);
    worker.start(links, () => runRound(job, ports));
  };
  const startAlone = (bringUps: BringUpJob['bringUps']): void => {
    const idle = alone.filter((worker) => worker.isIdle());
    for (const [index, bringUp] of bringUps.slice(0, idle.length).entries())
      run(idle[index] as Worker, { bringUps: [bringUp], host: noHost, gateways: [] });
  };
  const startTogether = (bringUps: BringUpJob['bringUps'], todo: Plan): void => {
    const { host, coming } = todo;
    const isAnyReady = bringUps.some(({ open }) => open);
    const delay = batchWindow.delayBefore(isAnyReady, coming);
    if (delay !== undefined) {
      batchWorker.start([], delay);
      return;
    }
    const gateways = repair.gatewaysToAdd(todo.gateways);
    const shared = host.elements.length + host.chains.length;
    if (bringUps.length + shared + gateways.length === 0) return;
    run(bringUpWorker, { bringUps, host, gateways });
  };

  return {
    workers: [batchWorker, bringUpWorker, ...alone],
    isBusyTogether: () => !batchWorker.isIdle() || !bringUpWorker.isIdle(),
    start: (todo) => {
      if (!ports.mayOpen()) return;
      const candidates = candidatesOf(todo, ports);
      const hasFailed = ({ vif }: { readonly vif: BackendVif }): boolean =>
        linkTimeout.hasFailed(vif.key);
      startAlone(candidates.filter(hasFailed));
      if (batchWorker.isIdle() && bringUpWorker.isIdle())
        startTogether(
          candidates.filter((candidate) => !hasFailed(candidate)),
          todo,
        );
    },
  };
};
