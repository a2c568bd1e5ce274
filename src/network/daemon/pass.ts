/** One pass: read what changed, decide, compare with the kernel, and start what is missing in its worker. */
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

/** Nothing tells when a full quota of xenstored has room again. */
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
  /** Throws XenstoreError. */
  readonly run: () => Promise<void>;
  readonly decisions: () => readonly Decision[];
  /** A vif's present trouble that is not in the decision itself. */
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

  /** What others do to a vif is shown in status, and no matter of the guest's: the store goes on to say "connected". */
  const problemOf = (decision: Decision): Problem | undefined => {
    const problem = linkTimeout.problemOf(decision) ?? repairBackoff.problemOf(decision.vif.key);
    if (problem !== undefined || decision.kind !== 'served') return problem;
    return shadowProblem(decision.served, observed.kernel().shadowingRoutes);
  };

  /** Failures that are not in a decision, and that the store does not show yet. */
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
    // What one transaction changes is told node by node, and most of that by now.
    await nextTurn();
    // A worker that ends while this pass reads has changed what was read: its links are for the next pass.
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
