/**
 * One pass: reads the changes, decides on each vif, compares the decisions with the kernel, and hands the
 * difference to the workers.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Problem } from '../../errors.ts';
import type { Config } from '../config/config.ts';
import type { Network } from '../kernel/network.ts';
import { hotplugErrorText, plan, type VifProblem } from '../plan/plan.ts';
import { shadowProblem } from '../plan/shadowing-routes.ts';
import { openVmNetworks } from '../plan/vm-networks.ts';
import { hostElements } from '../state/host-elements.ts';
import type { Backend } from '../store/backend.ts';
import { type Decision, decideVifs } from '../vif/decide-vifs.ts';
import type { LinkTimeout } from './link-timeout.ts';
import { everyUplink, type ObservedState } from './observed-state.ts';
import type { Policies } from './policies.ts';
import type { RepairBackoff } from './repair-backoff.ts';
import type { VifHistory } from './vif-history.ts';
import type { Workers } from './workers.ts';

/** The daemon retries, since xenstored does not report when a full quota has room again. */
const quotaRetryMs = 1_000;

export type PassParts = {
  readonly config: Config;
  readonly observed: ObservedState;
  readonly workers: Workers;
  readonly network: Network;
  readonly backend: Backend;
  readonly linkTimeout: LinkTimeout;
  readonly policies: Policies;
  readonly repairBackoff: RepairBackoff;
  readonly vifHistory: VifHistory;
  /** Whether a link's ingress chain may stand before the link. */
  readonly ingressMayPrecede: boolean;
  /** Asks for another pass after some milliseconds. */
  readonly requeueAfter: (delayMs: number) => void;
};

export type Passes = {
  /**
   * Runs one pass.
   * @throws XenstoreError
   */
  readonly run: () => Promise<void>;
  /** The decisions of the last pass. */
  readonly decisions: () => readonly Decision[];
  /** A vif's present problem that its decision does not contain. */
  readonly problemOf: (decision: Decision) => Problem | undefined;
};

export const openPasses = (parts: PassParts): Passes => {
  const {
    config,
    observed,
    workers,
    network,
    backend,
    linkTimeout,
    policies,
    repairBackoff,
    vifHistory,
    requeueAfter,
  } = parts;
  const networksOf = openVmNetworks([...config.allowed.values()].flat());
  let decisions: readonly Decision[] = [];

  /**
   * Includes damage and foreign routes by other programs. Only status shows these problems: in xenstore the
   * vif stays "connected".
   */
  const problemOf = (decision: Decision): Problem | undefined => {
    const problem = linkTimeout.problemOf(decision) ?? repairBackoff.problemOf(decision.vif.key);
    if (problem !== undefined || decision.kind !== 'served') return problem;
    return shadowProblem(decision.served, observed.kernel().shadowingRoutes);
  };

  /** Failures that no decision contains and that xenstore does not show yet. */
  const newProblems = (): VifProblem[] =>
    decisions.flatMap((decision): VifProblem[] => {
      const problem = linkTimeout.problemOf(decision);
      const { key, hotplugError } = decision.vif;
      const isNew = problem !== undefined && hotplugError !== hotplugErrorText(problem);
      return isNew ? [{ key, problem }] : [];
    });

  const mark = async ({ key, problem }: VifProblem): Promise<void> => {
    const isMarked = await backend.markError(key, hotplugErrorText(problem));
    observed.touch({ key, node: undefined });
    if (!isMarked) requeueAfter(quotaRetryMs);
  };

  const run = async (): Promise<void> => {
    // xenstored reports a transaction's changes node by node; most of the events are here after this turn.
    await nextTurn();
    // A worker that ends during the reads below may have changed what they read: this pass plans nothing for
    // its links.
    const busyBefore = workers.busy();
    await observed.refresh();
    const linkNames = network.linkNames();
    const { gateways, allowed } = config;
    const uplinks = config.uplinks ?? everyUplink(linkNames);
    const kernel = observed.kernel();
    const vifs = observed.vifs();
    const names = observed.names();
    decisions = decideVifs({
      vifs: vifs.values(),
      kernel,
      linkNames,
      gateways,
      uplinks,
      refusedMtus: observed.refusedMtus(),
      allowed,
      names,
      policyFor: policies.policyFor(vifs, names),
    });
    const todo = plan({
      decisions,
      kernel,
      gateways,
      hostElements: hostElements({
        ...config,
        uplinks,
        networks: networksOf(decisions),
      }),
      ingressMayPrecede: parts.ingressMayPrecede,
      linkNames,
      busy: new Set([...busyBefore, ...workers.busy()]),
      current: observed.current(),
      kept: policies.commonChains(),
    });
    workers.start(todo);
    for (const dueInMs of [linkTimeout.review(decisions), policies.dueInMs()]) {
      if (dueInMs !== undefined) requeueAfter(dueInMs);
    }
    vifHistory.record(decisions, problemOf, names);
    await Promise.all([...todo.mark, ...newProblems()].map(mark));
  };

  return { run, decisions: () => decisions, problemOf };
};
