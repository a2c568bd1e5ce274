/** Compares the decisions with the kernel and xenstore, and plans the changes. */

import { defaultLinkOf, type LinkName } from '../../address/link-name.ts';
import { isProblem, type Problem } from '../../errors.ts';
import { type Element, elementLink, elementPrefix, isVerdict } from '../state/element.ts';
import { isVifName, type KernelLink, type Neighbour, type Route } from '../state/kernel-state.ts';
import { type VifKey, xenbus } from '../vif/backend-vif.ts';
import { type Decision, isConnected } from '../vif/decide-vifs.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import { type BringUp, type Desired, desire, type Opening, type Planning } from './desired.ts';
import { type HostPlan, planHost } from './plan-host.ts';
import { removableElements } from './removable-elements.ts';

export type Garbage = {
  readonly elements: readonly Element[];
  /** Names of policy chains. */
  readonly chains: readonly string[];
};
export type VifProblem = { readonly key: VifKey; readonly problem: Problem };

export type Plan = {
  /** Vifs to bring up or repair. All their settings are applied again, as each step is idempotent. */
  readonly bringUp: readonly BringUp[];
  /** Links that netback will soon create. */
  readonly coming: readonly LinkName[];
  /** Vifs whose addresses are in use or soon will be. */
  readonly served: readonly ServedVif[];
  readonly host: HostPlan;
  /** Gateway addresses that `lo` lacks. */
  readonly gateways: readonly string[];
  readonly takeDown: {
    readonly links: readonly LinkName[];
    readonly routes: readonly Route[];
    /** Only on links that stay up; the kernel removes the entries of a link that goes down. */
    readonly neighbours: readonly Neighbour[];
  };
  /** Vifs whose backend directory must be removed; `takeDown` covers what is left of their links. */
  readonly finish: readonly VifKey[];
  /** Elements and chains that are no longer used. They are deleted last, since nft deletes slowly. */
  readonly garbage: Garbage;
  /** The addresses in `garbage` that no vif has any more: their flows are deleted. */
  readonly cut: readonly string[];
  /** Problems that xenstore does not show yet. */
  readonly mark: readonly VifProblem[];
};

/** The text for `hotplug-error`. The guest can read it, so it has the code but nothing about other VMs. */
export const hotplugErrorText = ({ code }: Problem): string => `vifwatch: ${code}`;

/**
 * @param stale links with elements of an earlier vif: a vif does not open before they are gone, since they
 * would let it use the addresses of the earlier one
 */
const planBringUp = (
  { openings }: Desired,
  { busy, leaving, current }: Planning,
  stale: ReadonlySet<LinkName>,
): BringUp[] => {
  const isKnown = current.links && current.elements;
  const due = (opening: Opening): BringUp[] => {
    const lacksRules = opening.missing.length + opening.chains.length > 0;
    // Without a current observation, rules are not added: repeated additions would delay the observation.
    if (!opening.open) return lacksRules && current.elements ? [opening] : [];
    if (!opening.connected) return stale.has(opening.served.link) ? [] : [opening];
    if (isKnown && !opening.isLinkComplete) return [opening];
    // New rules do not wait until the links are known: ip may fail to list them.
    return lacksRules && current.elements ? [{ ...opening, open: false }] : [];
  };
  const mayChange = ({ served: { link, prefixes } }: Opening): boolean =>
    !busy.has(link) && !prefixes.some(({ text }) => leaving.has(text));
  return openings.filter(mayChange).flatMap(due);
};

/** The default link that netback will create; not a link that vanished from a connected vif. */
const comingLink = (decision: Decision): LinkName[] => {
  const { vif } = decision;
  const isComing =
    decision.kind === 'waiting' &&
    decision.for === 'link' &&
    vif.state === xenbus.initWait &&
    !isConnected(vif);
  return isComing ? [defaultLinkOf(vif)] : [];
};

const planGateways = ({ kernel, gateways, current }: Planning): string[] => {
  const own = new Set([...kernel.links.values()].flatMap(({ addresses }) => addresses));
  const possible = gateways.filter(({ family }) => family === 4 || !kernel.isIpv6Off);
  const missing = possible.map(({ text }) => text).filter((text) => !own.has(text));
  return current.links ? missing : [];
};

/** The names that a vif's link can have. */
const linksOf = ({ vif }: Decision): LinkName[] => {
  const defaultLink = defaultLinkOf(vif);
  return isProblem(vif.facts) ? [defaultLink] : [...new Set([defaultLink, vif.facts.link])];
};

/**
 * Links that are up although their vif is not served. A foreign vif* link counts only if the firewall knows
 * it.
 */
const linksToClose = (desired: Desired, { decisions, kernel }: Planning): LinkName[] => {
  const isUnserved = ({ name, up }: KernelLink): boolean => up && !desired.links.has(name);
  const unserved = [...kernel.links.values()].filter(isUnserved).map(({ name }) => name);
  const ofDecisions = new Set(decisions.flatMap(linksOf));
  const isUnderRules = (link: LinkName): boolean =>
    [...kernel.elements.values()].some((element) => elementLink(element) === link);
  return unserved.filter(
    (link) => ofDecisions.has(link) || (isVifName(link) && isUnderRules(link)),
  );
};

const without = <T>(have: ReadonlyMap<string, T>, wanted: ReadonlyMap<string, unknown>): T[] => {
  const rest: T[] = [];
  have.forEach((item, key) => {
    if (!wanted.has(key)) rest.push(item);
  });
  return rest;
};

/**
 * @param finishing links of finished vifs: an old observation is enough to close them, as dom0 waits for it
 */
const planTakeDown = (
  desired: Desired,
  planning: Planning,
  finishing: ReadonlySet<LinkName>,
): Plan['takeDown'] => {
  const { kernel, linkNames, busy, current } = planning;
  const mayClose = (link: LinkName): boolean =>
    !busy.has(link) && (current.links || finishing.has(link));
  const toCome = new Set(without(desired.routes, kernel.routes).map(({ prefix }) => prefix));
  const leftOpen = [...finishing].filter(
    (link) => linkNames.has(link) && kernel.links.get(link)?.up !== false,
  );
  return {
    links: [...new Set([...linksToClose(desired, planning), ...leftOpen])].filter(mayClose),
    // If another link gets the same prefix, its route replaces this one; this one is not removed first.
    routes: without(kernel.routes, desired.routes).filter(
      ({ link, prefix }) => mayClose(link) && !toCome.has(prefix),
    ),
    neighbours: without(kernel.neighbours, desired.neighbours).filter(
      ({ link }) => mayClose(link) && desired.links.has(link),
    ),
  };
};

/** Skips vifs that are being brought up: once connected, such a vif may win its address conflict. */
const planMarks = ({ decisions, busy }: Planning): VifProblem[] =>
  decisions.flatMap((decision) => {
    if (decision.kind !== 'refused' || linksOf(decision).some((link) => busy.has(link))) return [];
    const { problem, vif } = decision;
    const isShown = vif.hotplugStatus === 'error' && vif.hotplugError === hotplugErrorText(problem);
    return isShown ? [] : [{ key: vif.key, problem }];
  });

const planGarbage = (
  desired: Desired,
  { kernel, current, ingressMayPrecede }: Planning,
  guarded: ReadonlySet<LinkName>,
): Garbage => {
  if (!current.elements) return { elements: [], chains: [] };
  const elements = removableElements(desired.excess, {
    guarded,
    desired,
    kernel,
    ingressMayPrecede,
  });
  const unwanted = [...kernel.chains.keys()].filter((name) => !desired.chains.has(name));
  if (unwanted.length === 0) return { elements, chains: [] };
  const gone = new Set(elements);
  const used = new Set<string | undefined>();
  for (const element of kernel.elements.values()) {
    if (isVerdict(element) && !gone.has(element)) used.add(element.chain);
  }
  return { elements, chains: unwanted.filter((name) => !used.has(name)) };
};

const addressesToCut = ({ elements }: Garbage, { openings }: Desired): string[] => {
  const removed = new Set(elements.flatMap((element) => elementPrefix(element) ?? []));
  if (removed.size === 0) return [];
  for (const { served } of openings) for (const { text } of served.prefixes) removed.delete(text);
  return [...removed];
};

/**
 * Plans to add what is missing and to remove what is in excess. Pure. After a complete plan, the next plan is
 * empty.
 */
export const plan = (planning: Planning): Plan => {
  const { decisions, busy } = planning;
  const desired = desire(planning);
  const finished = decisions.filter(
    (decision) => decision.kind === 'finished' && !linksOf(decision).some((link) => busy.has(link)),
  );
  const takeDown = planTakeDown(desired, planning, new Set(finished.flatMap(linksOf)));
  // Rules are removed last, after the links and routes that they guard.
  const guarded = new Set([
    ...busy,
    ...finished.flatMap(linksOf),
    ...takeDown.links,
    ...takeDown.routes.map(({ link }) => link),
  ]);
  const { excess } = desired;
  const garbage = planGarbage(desired, planning, guarded);
  return {
    bringUp: planBringUp(
      desired,
      planning,
      new Set(excess.flatMap((element) => elementLink(element) ?? [])),
    ),
    coming: decisions.flatMap(comingLink),
    served: desired.openings.map(({ served }) => served),
    host: planHost(planning),
    gateways: planGateways(planning),
    takeDown,
    finish: finished.map(({ vif }) => vif.key),
    garbage,
    cut: addressesToCut(garbage, desired),
    mark: planMarks(planning),
  };
};
