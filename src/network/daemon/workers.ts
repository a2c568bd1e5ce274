/** Hands the steps of a plan to the workers. */

import type { Logger } from 'pino';
import type { Observable } from 'rxjs';
import { CommandError } from '../../system/command.ts';
import type { Network } from '../kernel/network.ts';
import type { Plan } from '../plan/plan.ts';
import { elementLink, keyOfElement } from '../state/kernel-state.ts';
import type { Backend } from '../store/backend.ts';
import type { VifKey } from '../vif/backend-vif.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import { openBatchWindow } from './batch-window.ts';
import { type BringUpJob, bringUp } from './bring-up.ts';
import { garbageCollect } from './garbage-collect.ts';
import type { LinkTimeout } from './link-timeout.ts';
import type { ObservedState } from './observed-state.ts';
import type { Policies } from './policies.ts';
import type { Repair } from './repair.ts';
import { takeDown } from './take-down.ts';
import { openWorker } from './worker.ts';

export type WorkerParts = {
  readonly observed: ObservedState;
  readonly network: Network;
  readonly backend: Backend;
  readonly linkTimeout: LinkTimeout;
  readonly policies: Policies;
  readonly repair: Repair;
  /** False while all vifs must stay closed. */
  readonly mayOpen: () => boolean;
  /** Emits whenever a link may have appeared. */
  readonly linkChanges: Observable<unknown>;
  readonly log: Logger;
  /** Asks for another pass now. */
  readonly requeue: () => void;
  /** Asks for another pass after some milliseconds. */
  readonly requeueAfter: (delayMs: number) => void;
  /** Ends the daemon with an error that no further pass can repair. */
  readonly fail: (error: unknown) => void;
};

export type Workers = {
  /**
   * True while links are brought up or awaited. Link events then need no pass of their own, since a pass
   * follows at the end.
   */
  readonly isBringingUp: () => boolean;
  /** The links that a worker changes now. */
  readonly busy: () => ReadonlySet<string>;
  /** Starts the steps whose worker is idle; a later pass plans the other steps again. */
  readonly start: (todo: Plan) => void;
  /** The CommandError with which a worker's last work ended, if any; it belongs to no vif in particular. */
  readonly lastCommandError: () => CommandError | undefined;
  /** Resolves when all running work has ended. */
  readonly settled: () => Promise<void>;
};

/** The causes for which ip, nft and conntrack fail seldom vanish within milliseconds. */
const retryMs = 1_000;

/** The rest after the last work before state that is not current is observed. */
const quietMs = 30;

/**
 * The rest after the last work before the daemon's own changes are verified. They are most likely in place,
 * so vifs that wait for something else go first.
 */
const verificationMs = 500;

/**
 * State that is not current is observed after this time in any case: repairs must not wait for a burst to
 * end.
 */
const longestUnseenMs = 300;

export const openWorkers = (parts: WorkerParts): Workers => {
  const {
    observed,
    network,
    backend,
    linkTimeout,
    policies,
    repair,
    mayOpen,
    log,
    requeue,
    requeueAfter,
    fail,
  } = parts;
  let unseenSince: number | undefined;
  let lastWork = Number.NEGATIVE_INFINITY;
  const ended = (error?: unknown): void => {
    if (error === undefined) {
      requeue();
    } else if (error instanceof CommandError) {
      log.error({ code: error.code }, error.message);
      requeueAfter(retryMs);
    } else {
      fail(error);
    }
  };
  const worked = (error?: unknown): void => {
    lastWork = performance.now();
    if (error !== undefined) observed.invalidateElements();
    ended(error);
  };
  const batchWorker = openWorker(ended);
  const bringUpWorker = openWorker(worked);
  const takeDownWorker = openWorker(worked);
  const garbageWorker = openWorker(worked);
  const linkObserver = openWorker(ended);
  const elementObserver = openWorker(ended);
  const all = [
    batchWorker,
    bringUpWorker,
    takeDownWorker,
    garbageWorker,
    linkObserver,
    elementObserver,
  ];
  const batchWindow = openBatchWindow({ hasLink: network.hasLink, changes: parts.linkChanges });

  /** Vifs with a new policy: flows that it forbids may still be tracked. */
  const uncut = new Set<VifKey>();

  const cutForbidden = async (served: readonly ServedVif[]): Promise<void> => {
    const changed = served.filter(({ key }) => uncut.has(key));
    if (changed.length > 0) {
      const allowed = policies.allowsFlow(served, observed.names());
      const prefixes = changed.flatMap((vif) => vif.prefixes);
      await network.cutFlowsUnless(prefixes, allowed);
    }
    // A vif that is not served any more needs no cut here: all its flows end with its elements.
    uncut.clear();
  };

  const bringUpVifs = async (job: BringUpJob, served: Plan['served']): Promise<void> => {
    for (const { replaced, vif } of job.bringUps) if (replaced.length > 0) uncut.add(vif.key);
    try {
      const results = await bringUp(job, {
        ...{ network, backend },
        added: observed.added,
        mtuRefused: observed.mtuRefused,
      });
      for (const { vif, outcome } of results) {
        if (outcome === 'open') observed.touch({ key: vif.key, node: 'hotplug-status' });
        else if (outcome !== 'guarded') observed.touch({ key: vif.key, node: undefined });
        if (typeof outcome === 'object') {
          linkTimeout.failed(vif.key, outcome);
          // The cause may be that the daemon's tables are missing.
          observed.invalidateElements();
        } else {
          linkTimeout.succeeded(vif.key);
        }
      }
      await cutForbidden(served);
    } finally {
      if (job.bringUps.some(({ open }) => open) || job.gateways.length > 0)
        observed.invalidateLinks();
    }
  };

  const startBringUp = (todo: Plan): void => {
    if (!batchWorker.isIdle() || !bringUpWorker.isIdle() || !mayOpen()) return;
    const { bringUp: openings, host, served } = todo;
    const shared = host.elements.length + host.chains.length;
    const byKey = observed.vifs();
    const bringUps = openings.flatMap((opening) => {
      const vif = byKey.get(opening.served.key);
      if (vif === undefined || !linkTimeout.mayTry(vif.key)) return [];
      const candidate = { ...opening, vif };
      return repair.isAllowed(candidate) ? [candidate] : [];
    });
    const isAnyReady = bringUps.some(({ open }) => open);
    const delay = batchWindow.delayBefore(isAnyReady, todo.coming);
    if (delay !== undefined) {
      batchWorker.start([], delay);
      return;
    }
    const gateways = repair.gatewaysToAdd(todo.gateways);
    if (bringUps.length + shared + gateways.length + uncut.size === 0) return;
    repair.record(bringUps);
    const links = bringUps.map(({ served }) => served.link);
    bringUpWorker.start(links, () => bringUpVifs({ bringUps, host, gateways }, served));
  };

  const startTakeDown = (todo: Plan): void => {
    const { links, routes, neighbours } = todo.takeDown;
    const work = links.length + routes.length + neighbours.length + todo.finish.length;
    if (!takeDownWorker.isIdle() || work === 0) return;
    const finishing = todo.finish.map((key) => `vif${key.replace('/', '.')}`);
    const touched = [...routes, ...neighbours].map(({ link }) => link);
    repair.logExcess({ routes: routes.filter(({ link }) => !links.includes(link)), neighbours });
    takeDownWorker.start([...links, ...touched, ...finishing], async () => {
      await takeDown(todo, { network, backend });
      for (const key of todo.finish) observed.touch({ key, node: undefined });
      observed.invalidateLinks();
    });
  };

  const startGarbageCollection = ({ garbage, cut }: Plan): void => {
    const { elements, chains } = garbage;
    if (!garbageWorker.isIdle() || elements.length + chains.length === 0) return;
    repair.logExcess({ elements });
    const links = elements.flatMap((element) => elementLink(element) ?? []);
    garbageWorker.start(links, async () => {
      await garbageCollect({ garbage, cut }, network);
      observed.removed(garbage);
      log.debug(
        { elements: elements.map(keyOfElement), chains },
        'removed unused elements and chains from the firewall',
      );
    });
  };

  /**
   * Observes links and elements, but not while workers change them, nor right after that. An observation can
   * wait; vifs that come in a burst, as at boot, would have to wait for it. State that has not been current
   * for `longestUnseenMs` is observed in any case.
   */
  const startObserving = (): void => {
    const isQuiet = [batchWorker, bringUpWorker, takeDownWorker, garbageWorker].every((worker) =>
      worker.isIdle(),
    );
    const { links, ...due } = observed.due();
    // While all vifs must stay closed, the tables may be missing.
    const elements = due.elements && mayOpen();
    const isStale = links || elements;
    if (!isStale && !due.verification) return;
    const now = performance.now();
    unseenSince = isStale ? (unseenSince ?? now) : undefined;
    const isOverdue = unseenSince !== undefined && now - unseenSince > longestUnseenMs;
    const restMs = lastWork + (isStale ? quietMs : verificationMs) - now;
    if (!isOverdue) {
      if (isQuiet && restMs > 0) requeueAfter(restMs);
      if (!isQuiet || restMs > 0) return;
    }
    unseenSince = undefined;
    if (links && linkObserver.isIdle()) linkObserver.start([], observed.observeLinks);
    const mayVerify = due.verification && now >= lastWork + verificationMs && mayOpen();
    if ((elements || mayVerify) && elementObserver.isIdle())
      elementObserver.start([], observed.observeElements);
  };

  return {
    isBringingUp: () => !batchWorker.isIdle() || !bringUpWorker.isIdle(),
    busy: () => new Set(all.flatMap((worker) => worker.busy())),
    start: (todo) => {
      startBringUp(todo);
      startTakeDown(todo);
      startGarbageCollection(todo);
      startObserving();
    },
    lastCommandError: () =>
      all.map((worker) => worker.lastError()).find((error) => error instanceof CommandError),
    settled: async () => {
      await Promise.all(all.map((worker) => worker.settled()));
    },
  };
};
