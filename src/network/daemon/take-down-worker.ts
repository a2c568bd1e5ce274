/** The worker that closes vifs. */

import { defaultLinkOf, type LinkName } from '../../address/link-name.ts';
import type { Problem } from '../../errors.ts';
import { CommandError } from '../../system/command.ts';
import { isRefusal } from '../../xen/refusal.ts';
import type { Network } from '../kernel/network.ts';
import type { Plan } from '../plan/plan.ts';
import type { Backend } from '../store/backend.ts';
import { vifIdsOf } from '../store/vif-paths.ts';
import { neighbourRemoval, takeDownLines } from '../text/ip-batch.ts';
import type { VifKey } from '../vif/backend-vif.ts';
import type { FailedAttempts } from './failed-attempts.ts';
import { forEachOf } from './few-at-once.ts';
import type { ObservedState } from './observed-state.ts';
import type { Repair } from './repair.ts';
import { openWorker, type PlanWorker, type WorkEnd } from './worker.ts';

/** A vif whose backend directory xenstored did not remove. */
export type Unremoved = { readonly key: VifKey; readonly problem: Problem };

const remove = async (key: VifKey, backend: Backend): Promise<Unremoved[]> => {
  try {
    await backend.remove(key);
    return [];
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const text = `xenstored did not remove the backend directory: ${error.message}`;
    return [{ key, problem: { code: 'XENSTORE_FAILED', text } }];
  }
};

type Closing = Plan['takeDown'];

/** The vifs and problems that takeDown leaves to a later pass. */
export type Untaken = {
  readonly unremoved: readonly Unremoved[];
  /** The last failure of ip, if any. The next pass plans again what is left. */
  readonly failure: CommandError | undefined;
};

/** Runs the batches, a few at the same time. Returns the last failure. */
const runEach = async (
  batches: readonly (readonly string[])[],
  { ipBatches }: Network,
): Promise<CommandError | undefined> => {
  let failure: CommandError | undefined;
  await forEachOf(batches, async (lines) => {
    try {
      await ipBatches.run(lines);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failure = error;
    }
  });
  return failure;
};

/**
 * Removes the routes and sets the links down in one batch. If ip does not run it to its end, it runs one batch
 * per link, so that a faulty link delays no other.
 */
const closeLinks = async (
  { links, routes }: Closing,
  network: Network,
): Promise<CommandError | undefined> => {
  const failure = await runEach([takeDownLines({ links, routes })], network);
  const all = [...new Set([...links, ...routes.map(({ link }) => link)])];
  if (failure === undefined || all.length === 1) return failure;
  const linesOf = (one: LinkName): readonly string[] =>
    takeDownLines({
      links: links.filter((link) => link === one),
      routes: routes.filter(({ link }) => link === one),
    });
  return runEach(all.map(linesOf), network);
};

/**
 * Closes vifs: removes routes, sets links down, removes neighbour entries. Then it removes the backend
 * directories: dom0 waits for that. Failed lines are left to the next pass: in most cases the link has
 * vanished, and its routes with it. The set elements stay until garbage collection, which is slow and for
 * which dom0 need not wait: without a link and a route they guard nothing and open nothing.
 * @throws XenstoreError if the connection is lost
 */
export const takeDown = async (
  { takeDown: closing, finish }: Pick<Plan, 'takeDown' | 'finish'>,
  { network, backend }: { readonly network: Network; readonly backend: Backend },
): Promise<Untaken> => {
  const unclosed = await closeLinks(closing, network);
  // One batch per entry, since ip stops a batch at a neighbour entry that has vanished meanwhile.
  const removals = closing.neighbours.map((neighbour) => [neighbourRemoval(neighbour)]);
  const failure = (await runEach(removals, network)) ?? unclosed;
  const unremoved = (await Promise.all(finish.map((key) => remove(key, backend)))).flat();
  return { unremoved, failure };
};

type Ports = {
  readonly observed: Pick<ObservedState, 'touch' | 'invalidateLinks'>;
  readonly removals: Removals;
  readonly repair: Pick<Repair, 'logExcess'>;
  readonly takeDown: (todo: Plan) => Promise<Untaken>;
  /** Asks for another pass after some milliseconds. */
  readonly requeueAfter: (delayMs: number) => void;
  readonly worked: WorkEnd;
};

/** The failed removals of backend directories. */
export type Removals = FailedAttempts<VifKey, Problem>;

export const openTakeDownWorker = (ports: Ports): PlanWorker => {
  const { observed, removals, repair, takeDown, requeueAfter } = ports;
  const worker = openWorker(ports.worked);

  const record = (finish: readonly VifKey[], unremoved: readonly Unremoved[]): void => {
    for (const key of finish) {
      const failure = unremoved.find((one) => one.key === key);
      if (failure === undefined) removals.succeeded(key);
      else removals.failed(key, failure.problem);
      observed.touch({ key, node: undefined });
    }
  };

  /** The finished vifs whose directory may be removed now. */
  const removableOf = (finish: readonly VifKey[]): readonly VifKey[] => {
    removals.keepOnly(new Set(finish));
    const dueInMs = removals.dueInMs();
    if (dueInMs !== undefined) requeueAfter(dueInMs);
    return finish.filter(removals.mayTry);
  };

  return {
    workers: [worker],
    start: (plan) => {
      if (!worker.isIdle()) return;
      const todo = { ...plan, finish: removableOf(plan.finish) };
      const { links, routes, neighbours } = todo.takeDown;
      const work = links.length + routes.length + neighbours.length + todo.finish.length;
      if (work === 0) return;
      const finishing = todo.finish.map((key) => defaultLinkOf(vifIdsOf(key)));
      const touched = [...routes, ...neighbours].map(({ link }) => link);
      repair.logExcess({ routes: routes.filter(({ link }) => !links.includes(link)), neighbours });
      worker.start([...links, ...touched, ...finishing], async () => {
        const { unremoved, failure } = await takeDown(todo);
        record(todo.finish, unremoved);
        observed.invalidateLinks();
        if (failure !== undefined) throw failure;
      });
    },
  };
};
