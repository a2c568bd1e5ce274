/** One pass: read what changed, decide, compare with the kernel, and start what is missing in its lane. */
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { BackendVif } from '../core/backend-vif.ts';
import { type Decision, decide } from '../core/decide.ts';
import { elementLink } from '../core/kernel-state.ts';
import { hotplugErrorText, type Plan, plan, type Raise, type Refusal } from '../core/plan.ts';
import type { Problem } from '../core/problem.ts';
import type { Network } from '../net/network.ts';
import type { Backend } from '../xen/backend.ts';
import type { Journal } from './journal.ts';
import { type Lane, openLane } from './lane.ts';
import { lower } from './lower.ts';
import type { Patience } from './patience.ts';
import { raise } from './raise.ts';
import { describe, sweep } from './sweep.ts';
import { everyUplink, type World } from './world.ts';

export type PassParts = {
  readonly config: Config;
  readonly world: World;
  readonly network: Network;
  readonly backend: Backend;
  readonly patience: Patience;
  readonly journal: Journal;
  readonly log: Logger;
  /** Asks for another pass, now or after some milliseconds. */
  readonly wake: (afterMs?: number) => void;
  /** For trouble that no further pass can mend. */
  readonly fail: (error: unknown) => void;
};

export type Passes = {
  readonly run: () => Promise<void>;
  readonly decisions: () => readonly Decision[];
  /** Resolves when no lane has work. */
  readonly settled: () => Promise<void>;
};

type Lanes = Readonly<Record<'links' | 'elements' | 'raise' | 'lower' | 'sweep', Lane>>;

export const openPasses = (parts: PassParts): Passes => {
  const { config, world, network, backend, patience, journal, log, wake, fail } = parts;
  const laneEnded = (error?: unknown) => (error === undefined ? wake() : fail(error));
  const lanes: Lanes = {
    links: openLane(laneEnded),
    elements: openLane(laneEnded),
    raise: openLane(laneEnded),
    lower: openLane(laneEnded),
    sweep: openLane(laneEnded),
  };
  let decisions: readonly Decision[] = [];

  const busy = (): Set<string> => new Set(Object.values(lanes).flatMap((lane) => lane.busy()));

  /** Not while links or rules change: it would compete with them, and see them half done. */
  const startObserving = (): void => {
    const isQuiet = lanes.raise.isIdle() && lanes.lower.isIdle();
    const { links, elements } = world.current();
    if (isQuiet && !links && lanes.links.isIdle()) lanes.links.start([], world.observeLinks);
    if (isQuiet && !elements && lanes.elements.isIdle() && lanes.sweep.isIdle()) {
      lanes.elements.start([], world.observeElements);
    }
  };

  const doRaise = async (
    raises: readonly (Raise & { readonly vif: BackendVif })[],
    { hostElements, gateways }: Plan,
  ): Promise<void> => {
    const results = await raise({ raises, hostElements, gateways }, { network, backend });
    for (const { vif, outcome } of results) {
      const node = outcome === 'open' ? 'hotplug-status' : undefined;
      world.touch({ key: vif.key, node });
      if (typeof outcome === 'object') patience.failed(vif.key, outcome);
      else patience.succeeded(vif.key);
    }
    world.doubtLinks();
    world.doubtElements();
  };

  const startRaising = (todo: Plan): void => {
    if (!lanes.raise.isIdle()) return;
    const byKey = world.vifs();
    const raises = todo.raise.flatMap((one) => {
      const vif = byKey.get(one.served.key);
      return vif === undefined || !patience.mayTry(vif.key) ? [] : [{ ...one, vif }];
    });
    const isNothing = raises.length + todo.hostElements.length + todo.gateways.length === 0;
    if (isNothing) return;
    const links = raises.map(({ served }) => served.link);
    lanes.raise.start(links, () => doRaise(raises, todo));
  };

  const startLowering = (todo: Plan): void => {
    const { links, routes, neighbours } = todo.lower;
    const isNothing = links.length + routes.length + neighbours.length + todo.finish.length === 0;
    if (isNothing || !lanes.lower.isIdle()) return;
    const finishing = todo.finish.map((key) => `vif${key.replace('/', '.')}`);
    const touched = [...links, ...routes.map((r) => r.link), ...neighbours.map((n) => n.link)];
    lanes.lower.start([...touched, ...finishing], async () => {
      const finished = await lower(todo, { network, backend });
      for (const key of finished) world.touch({ key, node: undefined });
      world.doubtLinks();
    });
  };

  const startSweeping = (todo: Plan): void => {
    const elements = todo.sweep;
    if (elements.length === 0 || !lanes.sweep.isIdle()) return;
    lanes.sweep.start(elements.map(elementLink), async () => {
      await sweep(elements, network);
      world.doubtElements();
      log.debug({ elements: describe(elements) }, 'took out of the firewall');
    });
  };

  const markProblems = async (refusals: readonly Refusal[]): Promise<void> => {
    await Promise.all(
      refusals.map(async ({ key, problem }) => {
        await backend.markError(key, hotplugErrorText(problem));
        world.touch({ key, node: undefined });
      }),
    );
  };

  const newProblems = (): Refusal[] =>
    decisions.flatMap((decision): Refusal[] => {
      const problem: Problem | undefined = patience.problemOf(decision);
      const { key, hotplugError } = decision.vif;
      const isNew = problem !== undefined && hotplugError !== hotplugErrorText(problem);
      return isNew ? [{ key, problem }] : [];
    });

  const run = async (): Promise<void> => {
    const [linkNames] = await Promise.all([network.linkNames(), world.refresh()]);
    const { gateways, allowed } = config;
    const kernel = world.kernel();
    decisions = decide({
      vifs: world.vifs().values(),
      kernel,
      linkNames,
      gateways,
      allowed,
      names: world.names(),
    });
    const uplinks = config.uplinks ?? everyUplink(linkNames);
    const todo = plan({
      decisions,
      kernel,
      gateways,
      uplinks,
      linkNames,
      busy: busy(),
      current: world.current(),
    });
    startRaising(todo);
    startLowering(todo);
    startSweeping(todo);
    startObserving();
    const dueIn = patience.review(decisions);
    if (dueIn !== undefined) wake(dueIn);
    journal.record(decisions, patience.problemOf, world.names());
    await markProblems([...todo.mark, ...newProblems()]);
  };

  return {
    run,
    decisions: () => decisions,
    settled: async () => {
      await Promise.all(Object.values(lanes).map((lane) => lane.settled()));
    },
  };
};
