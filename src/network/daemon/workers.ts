/** The workers, and how a plan is spread over them. */

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
  /** False while no vif may be opened. */
  readonly mayOpen: () => boolean;
  /** Emits whenever a link may have appeared. */
  readonly linkChanges: Observable<unknown>;
  readonly log: Logger;
  /** Asks for another pass now. */
  readonly requeue: () => void;
  /** Asks for another pass after some milliseconds. */
  readonly requeueAfter: (delayMs: number) => void;
  /** For an error that no further pass can repair. */
  readonly fail: (error: unknown) => void;
};

export type Workers = {
  /** While links are brought up, or awaited, what happens to links calls for no pass: one comes at the end. */
  readonly isBringingUp: () => boolean;
  /** The links that some worker is working on. */
  readonly busy: () => ReadonlySet<string>;
  /** Starts whatever of the plan has an idle worker; the rest comes with a later pass. */
  readonly start: (todo: Plan) => void;
  /** A program that failed when it was last run for no vif in particular. */
  readonly lastCommandError: () => CommandError | undefined;
  /** Resolves when no worker has work. */
  readonly settled: () => Promise<void>;
};

/** ip, nft and conntrack fail for reasons that seldom go within milliseconds. */
const retryMs = 1_000;

const quietMs = 30;

/** What we did ourselves is most likely so; who waits for something else goes first. */
const verificationMs = 500;

/** What somebody else damaged must not wait for the end of a crowd. */
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

  /** Vifs with a new policy whose forbidden flows may still live. */
  const uncut = new Set<VifKey>();

  const cutForbidden = async (served: readonly ServedVif[]): Promise<void> => {
    const changed = served.filter(({ key }) => uncut.has(key));
    if (changed.length > 0) {
      const allowed = policies.allowsFlow(served, observed.names());
      const prefixes = changed.flatMap((vif) => vif.prefixes);
      await network.cutFlowsUnless(prefixes, allowed);
    }
    // Who is served no more has lost all its flows by that.
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
          // Perhaps our tables are gone.
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
      log.debug({ elements: elements.map(keyOfElement), chains }, 'took out of the firewall');
    });
  };

  /**
   * Not while links or rules change, nor at once after it: to look again can wait, and what comes in a
   * crowd, as vifs do at boot, would have to wait for the looking.
   */
  const startObserving = (): void => {
    const isQuiet = [batchWorker, bringUpWorker, takeDownWorker, garbageWorker].every((worker) =>
      worker.isIdle(),
    );
    const { links, ...due } = observed.due();
    // Without our tables there is nothing to see.
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
