/**
 * One pass: reads the changes, decides on each vif, compares the decisions with the kernel, and hands the
 * difference to the workers.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LinkName } from '../../address/link-name.ts';
import type { Problem } from '../../errors.ts';
import type { Config } from '../config/config.ts';
import { hotplugErrorText, type Plan, plan, type VifProblem } from '../plan/plan.ts';
import { openVmNetworks } from '../plan/vm-networks.ts';
import { hostElements } from '../state/host-elements.ts';
import { type Circumstances, type Decision, decideVifs } from '../vif/decide-vifs.ts';
import type { KernelSizeKeeper } from './kernel-size-keeper.ts';
import { everyUplink } from './observed-state.ts';
import type { Policies } from './policies.ts';
import type { RepairBackoff } from './repair-backoff.ts';
import type { StaticRulesetGuard } from './static-ruleset-guard.ts';
import type { VifHistory } from './vif-history.ts';
import { openVifProblems } from './vif-problems.ts';
import type { WorkerParts, Workers } from './workers.ts';

/** The daemon retries, since xenstored does not report when a full quota has room again. */
const quotaRetryMs = 1_000;

export type PassParts = Pick<
  WorkerParts,
  | 'observed'
  | 'network'
  | 'backend'
  | 'linkTimeout'
  | 'removals'
  | 'flowCuts'
  | 'repair'
  | 'requeueAfter'
> & {
  readonly config: Config;
  readonly policies: Policies;
  readonly workers: Workers;
  readonly guard: Pick<StaticRulesetGuard, 'isPanic'>;
  readonly repairBackoff: RepairBackoff;
  readonly vifHistory: VifHistory;
  readonly kernelSizes: Pick<KernelSizeKeeper, 'keep'>;
  /** Whether a link's ingress chain may stand before the link. */
  readonly ingressMayPrecede: boolean;
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

type HostLinks = Pick<Circumstances, 'linkNames' | 'uplinks'>;

const decide = (
  { config: { gateways, allowed }, observed, policies }: PassParts,
  { linkNames, uplinks }: HostLinks,
): readonly Decision[] => {
  const vifs = observed.vifs();
  return decideVifs({
    vifs: vifs.values(),
    kernel: observed.kernel(),
    linkNames,
    gateways,
    uplinks,
    refusedMtus: observed.refusedMtus(),
    allowed,
    names: observed.names(),
    policyFor: policies.policyFor(vifs),
  });
};

/** Marks the vif in xenstore, so that dom0 and `xl` see its problem. */
const mark = async (
  { backend, observed, requeueAfter }: PassParts,
  { key, problem }: VifProblem,
): Promise<void> => {
  const isMarked = await backend.markError(key, hotplugErrorText(problem));
  observed.touch({ key, node: undefined });
  if (!isMarked) requeueAfter(quotaRetryMs);
};

export const openPasses = (parts: PassParts): Passes => {
  const { config, observed, workers, network, linkTimeout, policies, requeueAfter } = parts;
  const { guard, repair } = parts;
  const networksOf = openVmNetworks([...config.allowed.values()].flat());
  const { problemOf, unmarked } = openVifProblems(parts);
  let decisions: readonly Decision[] = [];

  const planWith = ({ linkNames, uplinks }: HostLinks, busy: ReturnType<Workers['busy']>): Plan =>
    plan({
      decisions,
      kernel: observed.kernel(),
      gateways: config.gateways,
      hostElements: hostElements({ ...config, uplinks, networks: networksOf(decisions) }),
      ingressMayPrecede: parts.ingressMayPrecede,
      linkNames,
      busy,
      leaving: workers.leaving(),
      isPanic: guard.isPanic(),
      current: observed.current(),
      kept: policies.commonChains(),
    });

  const keepForwarding = (uplinks: readonly LinkName[]): void => {
    const { forwardingOff, links } = observed.kernel();
    const ofUplinks = uplinks.flatMap((link) =>
      (links.get(link)?.wrongSettings.withIpv6 ?? [])
        .filter((setting) => setting.endsWith(' forwarding'))
        .map((setting) => `${setting} on ${link}`),
    );
    const ofHost = forwardingOff.map((family) => `${family} forwarding`);
    if (!repair.maySwitchForwardingOn([...ofHost, ...ofUplinks])) return;
    network.switchForwardingOn(uplinks);
    observed.invalidateLinks();
  };

  const run = async (): Promise<void> => {
    // xenstored reports a transaction's changes node by node; most of the events are here after this turn.
    await nextTurn();
    // A worker that ends during the reads below may have changed what they read: this pass plans nothing for
    // its links.
    const busyBefore = workers.busy();
    await observed.refresh();
    const linkNames = network.linkNames();
    const hostLinks = { linkNames, uplinks: config.uplinks ?? everyUplink(linkNames) };
    decisions = decide(parts, hostLinks);
    const todo = planWith(hostLinks, new Set([...busyBefore, ...workers.busy()]));
    if (guard.isPanic()) repair.closed(todo.served);
    if (observed.current().links) keepForwarding(hostLinks.uplinks);
    parts.kernelSizes.keep(todo.served.length);
    workers.start(todo);
    const dueIn = [
      linkTimeout.review(decisions),
      policies.dueInMs(),
      parts.vifHistory.record(decisions, problemOf, observed.names()),
    ];
    for (const dueInMs of dueIn) if (dueInMs !== undefined) requeueAfter(dueInMs);
    await Promise.all([...todo.mark, ...unmarked(decisions)].map((found) => mark(parts, found)));
  };

  return { run, decisions: () => decisions, problemOf };
};
