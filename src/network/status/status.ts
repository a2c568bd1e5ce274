/** The document that `vifwatch status` shows. */

import { defaultLinkOf } from '../../address/link-name.ts';
import { isProblem, type Problem } from '../../errors.ts';
import type { KernelState } from '../state/kernel-state.ts';
import { type BackendVif, type VmNames, xenbus } from '../vif/backend-vif.ts';
import { type Decision, isConnected } from '../vif/decide-vifs.ts';
import type { Counts, Drops } from './drops.ts';

export type Phase = 'waiting' | 'configuring' | 'connected' | 'closing' | 'error';

export type VifStatus = {
  readonly domid: number;
  readonly devid: number;
  /** The VM's name in /ipc/domain-map; null without one. */
  readonly name: string | null;
  readonly link: string;
  readonly mac: string | null;
  readonly addresses: readonly string[];
  readonly phase: Phase;
  /** The time when the phase began, ISO 8601; null without the daemon. */
  readonly since: string | null;
  readonly error: { readonly code: string; readonly text: string } | null;
  /** Addresses that only the guest claims, and how often its claim changed; null without such a claim. */
  readonly claim: { readonly text: string; readonly count: number } | null;
  /** The packets that were more than its share and dropped; null if nft does not answer. */
  readonly refused: number | null;
};

type DaemonStatus = {
  readonly pid: number;
  readonly since: string;
  readonly version: string;
  /** The failure that the daemon currently retries; null if there is none. */
  readonly trouble: string | null;
  /** The daemon tells the operator here about settings of net-vm that it cannot change. */
  readonly notices: readonly string[];
};

/** The document of `status --json`. Within one `schema`, fields can be added but none changes its meaning. */
export type Status = {
  readonly schema: 1;
  /** True if the daemon runs without trouble, no vif is in phase `error` and panic mode is off. */
  readonly healthy: boolean;
  /** Null if no daemon answers: then the other fields come directly from xenstore and the kernel. */
  readonly daemon: DaemonStatus | null;
  /** Whether panic mode is on: then all packets from and to all vifs are dropped. */
  readonly panic: boolean;
  readonly uplinks: readonly string[];
  readonly gateways: readonly string[];
  readonly vifs: readonly VifStatus[];
  /** Dropped packets by counter name, without counters at 0; null if nft does not answer. */
  readonly drops: Drops | null;
  readonly routes: readonly {
    readonly prefix: string;
    readonly link: string;
    readonly via: string | null;
  }[];
};

/** The part of a vif's status that is not in its decision. */
export type VifHistoryEntry = {
  readonly problem: Problem | undefined;
  readonly since: string | null;
  readonly claims: number;
};

/** @param problem a failure that the decision does not contain */
const phaseOf = (decision: Decision, problem: Problem | undefined): Phase => {
  const { vif, kind } = decision;
  if (kind === 'refused' || problem !== undefined) return 'error';
  if (kind === 'finished' || (vif.state === xenbus.closing && !vif.online)) return 'closing';
  if (kind === 'waiting') return 'waiting';
  return isConnected(vif) ? 'connected' : 'configuring';
};

const addressesOf = (decision: Decision): string[] => {
  const prefixes = decision.kind === 'served' ? decision.served.prefixes : decision.vif.given;
  return prefixes.map(({ text }) => text);
};

/** The condition under which vifwatch uses the addresses that a guest claims. */
export const claimCondition = 'used only if dom0 gave no address and a [[vm]] allows it';

const claimOf = ({ claim }: BackendVif, count: number): VifStatus['claim'] =>
  claim === undefined ? null : { text: claim, count };

/** The status of one vif. @param name the VM's name in /ipc/domain-map */
export const vifStatus = (
  decision: Decision,
  { problem, since, claims }: VifHistoryEntry,
  name: string | undefined,
  counts: Counts | null,
): VifStatus => {
  const { vif } = decision;
  const error = decision.kind === 'refused' ? decision.problem : problem;
  const facts = isProblem(vif.facts) ? undefined : vif.facts;
  const link = facts?.link ?? defaultLinkOf(vif);
  return {
    domid: vif.domid,
    devid: vif.devid,
    name: name ?? null,
    link,
    mac: facts?.mac ?? null,
    addresses: addressesOf(decision),
    phase: phaseOf(decision, problem),
    since,
    error: error === undefined ? null : { code: error.code, text: error.text },
    claim: claimOf(vif, claims),
    refused: counts === null ? null : (counts.refused.get(link) ?? 0),
  };
};

type StatusFacts = {
  readonly daemon: DaemonStatus | null;
  readonly panic: boolean;
  readonly decisions: readonly Decision[];
  readonly historyOf: (decision: Decision) => VifHistoryEntry;
  readonly names: VmNames;
  readonly kernel: KernelState;
  readonly gateways: readonly string[];
  readonly counts: Counts | null;
};

const byKey = (a: { domid: number; devid: number }, b: { domid: number; devid: number }): number =>
  a.domid - b.domid || a.devid - b.devid;

/** Builds the whole document; vifs are sorted by domid and devid, routes by link and prefix. */
export const statusOf = (facts: StatusFacts): Status => {
  const { daemon, panic, decisions, historyOf, names, kernel, gateways, counts } = facts;
  const vifs = decisions
    .map((decision) =>
      vifStatus(decision, historyOf(decision), names.get(decision.vif.domid), counts),
    )
    .sort(byKey);
  const elements = [...kernel.elements.values()];
  return {
    schema: 1,
    healthy: daemon?.trouble === null && !panic && vifs.every(({ phase }) => phase !== 'error'),
    daemon,
    panic,
    uplinks: elements.flatMap((element) => (element.set === 'uplink' ? element.link : [])).sort(),
    gateways,
    vifs,
    drops: counts?.drops ?? null,
    routes: [...kernel.routes.values()]
      .map(({ prefix, link, via }) => ({ prefix, link, via: via ?? null }))
      .sort((a, b) => (a.link + a.prefix < b.link + b.prefix ? -1 : 1)),
  };
};
