/** Hands the steps of a plan to the workers. */

import type { Logger } from 'pino';
import type { Observable } from 'rxjs';
import type { LinkName } from '../../address/link-name.ts';
import { systemClock } from '../../system/clock.ts';
import { CommandError } from '../../system/command.ts';
import type { Network } from '../kernel/network.ts';
import type { Garbage, Plan } from '../plan/plan.ts';
import { elementLink, isForward } from '../state/element.ts';
import type { Backend } from '../store/backend.ts';
import type { Additions } from '../text/nft-json.ts';
import { openBatchWindow } from './batch-window.ts';
import { bringUp } from './bring-up.ts';
import { openBringUpWorker } from './bring-up-worker.ts';
import { openFlowCutWorker } from './flow-cut-worker.ts';
import type { FlowCuts } from './flow-cuts.ts';
import { garbageCollect, openGarbageWorker } from './garbage-worker.ts';
import type { LinkTimeout } from './link-timeout.ts';
import { openObservationSchedule } from './observation-schedule.ts';
import type { ObservedState } from './observed-state.ts';
import type { Repair } from './repair.ts';
import { openTakeDownWorker, type Removals, takeDown } from './take-down-worker.ts';
import { openWorker, type PlanWorker } from './worker.ts';

export type WorkerParts = {
  readonly observed: ObservedState;
  readonly network: Network;
  readonly backend: Backend;
  readonly linkTimeout: LinkTimeout;
  readonly removals: Removals;
  readonly flowCuts: FlowCuts;
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
  readonly busy: () => ReadonlySet<LinkName>;
  /** The addresses and networks whose elements a worker removes now. */
  readonly leaving: () => ReadonlySet<string>;
  /** Starts the steps whose worker is idle; a later pass plans the other steps again. */
  readonly start: (todo: Plan) => void;
  /** The CommandError with which a worker's last work ended, if any; it belongs to no vif in particular. */
  readonly lastCommandError: () => CommandError | undefined;
  /** Resolves when all running work has ended. */
  readonly settled: () => Promise<void>;
};

/** The causes for which ip, nft and conntrack fail seldom vanish within milliseconds. */
const retryMs = 1_000;

const areIdle = (planWorkers: readonly PlanWorker[]): boolean =>
  planWorkers.every(({ workers }) => workers.every((worker) => worker.isIdle()));

const linksOf = ({ replaced }: Additions): readonly LinkName[] =>
  replaced.flatMap((element) => elementLink(element) ?? []);

/** Records additions, and has flows judged that the rules let in before; that waits for no link. */
const recordAdditions = (
  what: Additions,
  { observed, flowCuts, requeue }: Pick<WorkerParts, 'observed' | 'flowCuts' | 'requeue'>,
): void => {
  observed.added(what);
  const hides = what.elements.some(({ set }) => set === 'masquerading');
  if (what.replaced.length === 0 && !hides) return;
  if (hides) flowCuts.expectAll();
  flowCuts.expect(linksOf(what));
  requeue();
};

export const openWorkers = (parts: WorkerParts): Workers => {
  const { observed, network, backend, flowCuts, mayOpen, log } = parts;
  const schedule = openObservationSchedule(systemClock.now);
  const ended = (error?: unknown): void => {
    if (error === undefined) {
      parts.requeue();
    } else if (error instanceof CommandError) {
      log.error({ code: error.code }, error.message);
      parts.requeueAfter(retryMs);
    } else {
      parts.fail(error);
    }
  };
  const worked = (error?: unknown): void => {
    schedule.worked();
    if (error !== undefined) observed.invalidateElements();
    ended(error);
  };
  const { mtuRefused } = observed;
  const added = (what: Additions): void => recordAdditions(what, parts);
  // The worker's end leads to the next pass.
  const doubted = (what: Additions): void => flowCuts.expect(linksOf(what));
  const removed = (what: Garbage): void => {
    observed.removed(what);
    if (!what.elements.some(isForward)) return;
    flowCuts.expectAll();
    parts.requeue();
  };
  const bringUpWorker = openBringUpWorker({
    ...parts,
    batchWindow: openBatchWindow({ hasLink: network.hasLink, changes: parts.linkChanges }),
    bringUp: (job) => bringUp(job, { network, backend, added, doubted, mtuRefused }),
    waited: ended,
    worked,
  });
  const takeDownWorker = openTakeDownWorker({
    ...parts,
    takeDown: (todo) => takeDown(todo, parts),
    worked,
  });
  const garbageWorker = openGarbageWorker({
    ...parts,
    garbageCollect: (todo) => garbageCollect(todo, { network, removed, log }),
    worked,
  });
  const flowCutWorker = openFlowCutWorker({ ...parts, ended });
  const changing = [bringUpWorker, takeDownWorker, garbageWorker];
  const linkObserver = openWorker(ended);
  const elementObserver = openWorker(ended);
  const startObserving = (): void => {
    const facts = { due: observed.due(), isQuiet: areIdle(changing), mayOpen: mayOpen() };
    const { links, elements, retryInMs } = schedule.next(facts);
    if (retryInMs !== undefined) parts.requeueAfter(retryInMs);
    if (links && linkObserver.isIdle()) linkObserver.start([], observed.observeLinks);
    if (elements && elementObserver.isIdle()) elementObserver.start([], observed.observeElements);
  };
  const planWorkers = [...changing, flowCutWorker];
  const all = [...planWorkers.flatMap(({ workers }) => workers), linkObserver, elementObserver];
  return {
    isBringingUp: bringUpWorker.isBusyTogether,
    busy: () => new Set(all.flatMap((worker) => worker.busy())),
    leaving: garbageWorker.leaving,
    start: (todo) => {
      for (const planWorker of planWorkers) planWorker.start(todo);
      startObserving();
    },
    lastCommandError: () =>
      all.map((worker) => worker.lastError()).find((error) => error instanceof CommandError),
    settled: async () => {
      await Promise.all(all.map((worker) => worker.settled()));
    },
  };
};
