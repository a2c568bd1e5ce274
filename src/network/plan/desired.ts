/** Computes the desired kernel state, and the part of it that the kernel lacks. */

import type { LinkName } from '../../address/link-name.ts';
import type { Prefix } from '../../address/prefix.ts';
import type { Chain, PolicyChains } from '../policy/policy-chain.ts';
import { type Element, elementLink, isSameElement, keyOfElement } from '../state/element.ts';
import type { KernelState, Neighbour, Route } from '../state/kernel-state.ts';
import { type Decision, isConnected } from '../vif/decide-vifs.ts';
import { mtuToSet } from '../vif/mtu.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import { dataplaneOfVif, type VifDataplane } from './dataplane-of-vif.ts';
import { isLinkComplete } from './missing-state.ts';

export type Planning = {
  /** Chains that stay in the kernel even while no vif uses them: those of the default profile. */
  readonly kept: PolicyChains;
  readonly decisions: readonly Decision[];
  readonly kernel: KernelState;
  readonly gateways: readonly Prefix[];
  /** Whether a link's ingress chain can exist before the link (Linux 6.16). */
  readonly ingressMayPrecede: boolean;
  /** Elements that belong to no particular vif. */
  readonly hostElements: readonly Element[];
  /** The links that exist now. */
  readonly linkNames: ReadonlySet<LinkName>;
  /** Links that a running step changes: nothing is planned for them until the step ends. */
  readonly busy: ReadonlySet<LinkName>;
  /** Addresses and networks whose elements a running step removes: a vif that has one of them waits. */
  readonly leaving: ReadonlySet<string>;
  /** In panic mode all vifs stay down. */
  readonly isPanic: boolean;
  /** Whether `kernel` is current: only then may the plan repair or remove anything because of it. */
  readonly current: { readonly links: boolean; readonly elements: boolean };
};

export type BringUp = {
  readonly served: ServedVif;
  readonly dataplane: VifDataplane;
  /** The MTU to set, in bytes; undefined if the link has it. */
  readonly mtu: number | undefined;
  /** The elements that the firewall lacks, or may lack. */
  readonly missing: readonly Element[];
  /** The link's elements in the verdict maps that still jump to an earlier policy. */
  readonly replaced: readonly Element[];
  /** vifwatch's routes that exist, but behind another program's route. */
  readonly behind: readonly Route[];
  /** The chains that the firewall lacks, or may lack. */
  readonly chains: readonly Chain[];
  /** False while the link does not exist, or if it is complete: then only rules are missing. */
  readonly open: boolean;
  /** In panic mode, the vif is marked as connected, but its link stays down and gets no routes. */
  readonly stayDown: boolean;
};
export type Opening = BringUp & {
  readonly connected: boolean;
  /** How many of the dataplane's elements with a link the firewall has, be it with another value. */
  readonly present: number;
  /** Whether the link's state, MTU, neighbour entries and routes are complete. */
  readonly isLinkComplete: boolean;
};

/** The settings with which a vif is served, or will be. */
export const servedOf = (decision: Decision): ServedVif | undefined => {
  if (decision.kind === 'served') return decision.served;
  return decision.kind === 'waiting' ? decision.prospect : undefined;
};

export type Desired = {
  readonly openings: readonly Opening[];
  readonly links: ReadonlySet<LinkName>;
  readonly hostElements: readonly Element[];
  /** Whether a vif or net-vm needs the element. */
  readonly wants: (key: string, element: Element) => boolean;
  /** The elements in the kernel that neither a vif nor net-vm needs. */
  readonly excess: readonly Element[];
  readonly chains: ReadonlySet<string>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  readonly routes: ReadonlyMap<string, Route>;
};

/** The changes that one served vif needs. */
const buildOpening = (decision: Decision, served: ServedVif, planning: Planning): Opening => {
  const { gateways, kernel, current, ingressMayPrecede, isPanic: stayDown } = planning;
  const dataplane = dataplaneOfVif(served, gateways);
  const open = decision.kind === 'served';
  const connected = isConnected(decision.vif);
  const missing: Element[] = [];
  const replaced: Element[] = [];
  let present = 0;
  dataplane.elements.forEach((element, key) => {
    if (kernel.elements.has(key) && elementLink(element) !== undefined) present += 1;
    const before = current.elements ? kernel.elements.get(key) : undefined;
    const isKnown = before !== undefined && isSameElement(before, element);
    // If the kernel deletes an ingress chain with its link, a known chain may belong to an earlier link of
    // that name.
    const goesWithLink = element.set === 'ingress' && !ingressMayPrecede;
    if (goesWithLink ? !open || (connected && isKnown) : isKnown) return;
    missing.push(element);
    if (before !== undefined && !isKnown) replaced.push(before);
  });
  const hasChain = ({ name, rules }: Chain): boolean =>
    current.elements && kernel.chains.get(name) === rules.length;
  const behind: Route[] = [];
  dataplane.routes.forEach((route, key) => {
    if (kernel.shadowingRoutes.get(key)?.isBeatable) behind.push(route);
  });
  const mtu = mtuToSet(kernel.links.get(served.link), served.mtu, current.links);
  const chains = dataplane.chains.filter((chain) => !hasChain(chain));
  const lacking = { mtu, missing, replaced, behind, chains };
  const bringUp: BringUp = { served, dataplane, ...lacking, open, stayDown };
  return { ...bringUp, connected, present, isLinkComplete: isLinkComplete(bringUp, kernel) };
};

/** An opening, and the facts from which it was built, apart from the served vif. */
type Known = Pick<Planning, 'kernel' | 'gateways' | 'ingressMayPrecede' | 'isPanic'> &
  Planning['current'] & { readonly kind: Decision['kind']; readonly opening: Opening };

/** A cache: most passes change the settings of few vifs, and the kernel's state between few passes. */
const known = new WeakMap<ServedVif, Known>();

/** The changes that one vif needs; undefined if it is not to be served. */
const openingOf = (decision: Decision, planning: Planning): Opening | undefined => {
  const served = servedOf(decision);
  if (served === undefined) return undefined;
  const before = known.get(served);
  const { kind } = decision;
  const { kernel, gateways, ingressMayPrecede, isPanic, current } = planning;
  const isSame =
    before !== undefined &&
    before.kernel === kernel &&
    before.kind === kind &&
    before.opening.connected === isConnected(decision.vif) &&
    before.links === current.links &&
    before.elements === current.elements &&
    before.gateways === gateways &&
    before.ingressMayPrecede === ingressMayPrecede &&
    before.isPanic === isPanic;
  if (isSame) return before.opening;
  const opening = buildOpening(decision, served, planning);
  known.set(served, { kernel, kind, ...current, gateways, ingressMayPrecede, isPanic, opening });
  return opening;
};

/** Here and in plan.ts, forEach walks large maps: unlike for-of, it allocates no entry arrays. */
const addAll = <T>(target: Map<string, T>, source: ReadonlyMap<string, T>): void => {
  source.forEach((item, key) => {
    target.set(key, item);
  });
};

type Wanted = {
  readonly byLink: ReadonlyMap<string, Opening>;
  /** The keys of elements that no vif's link owns. */
  readonly ofNoLink: ReadonlySet<string>;
};

const isOfLink = (key: string, element: Element, { byLink }: Wanted): boolean => {
  const link = elementLink(element);
  return link !== undefined && byLink.get(link)?.dataplane.elements.has(key) === true;
};

const isWanted = (key: string, element: Element, wanted: Wanted): boolean =>
  isOfLink(key, element, wanted) || wanted.ofNoLink.has(key);

/** How many of the kernel's elements are wanted. */
const countWanted = ({ elements }: KernelState, wanted: Wanted): number => {
  let count = 0;
  for (const { present } of wanted.byLink.values()) count += present;
  wanted.ofNoLink.forEach((key) => {
    const element = elements.get(key);
    if (element !== undefined && !isOfLink(key, element, wanted)) count += 1;
  });
  return count;
};

/** Looks at each element only if there is an unwanted one. */
const excessOf = (kernel: KernelState, wanted: Wanted): readonly Element[] => {
  const excess: Element[] = [];
  if (countWanted(kernel, wanted) === kernel.elements.size) return excess;
  kernel.elements.forEach((element, key) => {
    if (!isWanted(key, element, wanted)) excess.push(element);
  });
  return excess;
};

/** Computes the desired state of all vifs and of net-vm. Pure. */
export const desire = (planning: Planning): Desired => {
  const { decisions, hostElements, kernel, kept, isPanic } = planning;
  const openings = decisions.flatMap((decision) => openingOf(decision, planning) ?? []);
  const links = new Set<LinkName>();
  const byLink = new Map<string, Opening>();
  const ofNoLink = new Set(hostElements.map(keyOfElement));
  const chains = new Set([kept.out.name, kept.in.name]);
  const neighbours = new Map<string, Neighbour>();
  const routes = new Map<string, Route>();
  for (const opening of openings) {
    const { served, dataplane, open } = opening;
    byLink.set(served.link, opening);
    for (const key of dataplane.ofNoLink) ofNoLink.add(key);
    for (const { name } of dataplane.chains) chains.add(name);
    if (!open || isPanic) continue;
    links.add(served.link);
    addAll(neighbours, dataplane.neighbours);
    addAll(routes, dataplane.routes);
  }
  const wanted: Wanted = { byLink, ofNoLink };
  const wants = (key: string, element: Element): boolean => isWanted(key, element, wanted);
  const excess = excessOf(kernel, wanted);
  return { openings, links, hostElements, wants, excess, chains, neighbours, routes };
};
