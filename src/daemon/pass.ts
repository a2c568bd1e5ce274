/** One pass: read what changed, decide, compare with the kernel, and start what is missing in its lane. */
import type { Config } from '../config/config.ts';
import { type Decision, decide } from '../core/decide.ts';
import { hotplugErrorText, plan, type Refusal } from '../core/plan.ts';
import type { Network } from '../net/network.ts';
import type { Backend } from '../xen/backend.ts';
import type { Journal } from './journal.ts';
import type { Lanes } from './lanes.ts';
import type { Patience } from './patience.ts';
import { everyUplink, type World } from './world.ts';

/** Nothing tells when a full quota of xenstored has room again. */
const quotaRetryMs = 1_000;

export type PassParts = {
  readonly config: Config;
  readonly world: World;
  readonly lanes: Lanes;
  readonly network: Network;
  readonly backend: Backend;
  readonly patience: Patience;
  readonly journal: Journal;
  /** Asks for another pass after some milliseconds. */
  readonly wake: (afterMs: number) => void;
};

export type Passes = {
  /** Throws XenstoreError. */
  readonly run: () => Promise<void>;
  readonly decisions: () => readonly Decision[];
};

export const openPasses = (parts: PassParts): Passes => {
  const { config, world, lanes, network, backend, patience, journal, wake } = parts;
  let decisions: readonly Decision[] = [];

  /** Failures that are not in a decision, and that the store does not show yet. */
  const newProblems = (): Refusal[] =>
    decisions.flatMap((decision): Refusal[] => {
      const problem = patience.problemOf(decision);
      const { key, hotplugError } = decision.vif;
      const isNew = problem !== undefined && hotplugError !== hotplugErrorText(problem);
      return isNew ? [{ key, problem }] : [];
    });

  const mark = async ({ key, problem }: Refusal): Promise<void> => {
    const isMarked = await backend.markError(key, hotplugErrorText(problem));
    world.touch({ key, node: undefined });
    if (!isMarked) wake(quotaRetryMs);
  };

  const run = async (): Promise<void> => {
    // A lane that ends while this pass reads has changed what was read: its links are for the next pass.
    const busyBefore = lanes.busy();
    await world.refresh();
    const linkNames = network.linkNames();
    const { gateways, allowed, mssClamp } = config;
    const uplinks = config.uplinks ?? everyUplink(linkNames);
    const kernel = world.kernel();
    const vifs = world.vifs().values();
    decisions = decide({
      ...{ vifs, kernel, linkNames, gateways, uplinks, allowed },
      names: world.names(),
      refusedMtus: world.refusedMtus(),
    });
    const todo = plan({
      decisions,
      kernel,
      gateways,
      uplinks,
      mssClamp,
      linkNames,
      busy: new Set([...busyBefore, ...lanes.busy()]),
      current: world.current(),
    });
    lanes.start(todo);
    const dueInMs = patience.review(decisions);
    if (dueInMs !== undefined) wake(dueInMs);
    journal.record(decisions, patience.problemOf, world.names());
    await Promise.all([...todo.mark, ...newProblems()].map(mark));
  };

  return { run, decisions: () => decisions };
};
