/** Computes the desired kernel state, and the part of it that the kernel lacks. */

import type { LinkName } from '../../address/link-name.ts';
import type { Prefix } from '../../address/prefix.ts';
import type { Chain, PolicyChains } from '../policy/policy-chain.ts';
import {
  type Element,
  elementLink,
  isPrefixOnly,
  isSameElement,
  keyOfElement,
} from '../state/element.ts';
import type { KernelState, Neighbour, Route } from '../state/kernel-state.ts';
import { type Decision, isConnected } from '../vif/decide-vifs.ts';
import { mtuToSet } from '../vif/mtu.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import { dataplaneOfVif, type VifDataplane } from './dataplane-of-vif.ts';

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
export type Opening = BringUp & { readonly connected: boolean };

/** The settings with which a vif is served, or will be. */
export const servedOf = (decision: Decision): ServedVif | undefined => {
  if (decision.kind === 'served') return decision.served;
  return decision.kind === 'waiting' ? decision.prospect : undefined;
};

export type Desired = {
  readonly openings: readonly Opening[];
  readonly links: ReadonlySet<LinkName>;
  readonly hostElements: readonly Element[];
  /** Whether a vif or net-vm needs the element. The plan asks it for every element in the kernel. */
  readonly wants: (key: string, element: Element) => boolean;
  readonly chains: ReadonlySet<string>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  readonly routes: ReadonlyMap<string, Route>;
};

/** The changes that one vif needs; undefined if it is not to be served. */
const openingOf = (decision: Decision, planning: Planning): Opening | undefined => {
  const served = servedOf(decision);
  if (served === undefined) return undefined;
  const { gateways, kernel, current, ingressMayPrecede, isPanic: stayDown } = planning;
  const dataplane = dataplaneOfVif(served, gateways);
  const open = decision.kind === 'served';
  const connected = isConnected(decision.vif);
  const missing: Element[] = [];
  const replaced: Element[] = [];
  dataplane.elements.forEach((element, key) => {
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
  return { served, dataplane, ...lacking, open, stayDown, connected };
};

/** Here and in plan.ts, forEach walks large maps: unlike for-of, it allocates no entry arrays. */
const addAll = <T>(target: Map<string, T>, source: ReadonlyMap<string, T>): void => {
  source.forEach((item, key) => {
    target.set(key, item);
  });
};

/** Computes the desired state of all vifs and of net-vm. Pure. */
export const desire = (planning: Planning): Desired => {
  const { decisions, hostElements, kept, isPanic } = planning;
  const openings = decisions.flatMap((decision) => openingOf(decision, planning) ?? []);
  const links = new Set<LinkName>();
  const dataplanes = new Map<string, VifDataplane>();
  const ofNoLink = new Set(hostElements.map(keyOfElement));
  const chains = new Set([kept.out.name, kept.in.name]);
  const neighbours = new Map<string, Neighbour>();
  const routes = new Map<string, Route>();
  for (const { served, dataplane, open } of openings) {
    dataplanes.set(served.link, dataplane);
    dataplane.elements.forEach((element, key) => {
      if (isPrefixOnly(element)) ofNoLink.add(key);
    });
    for (const { name } of dataplane.chains) chains.add(name);
    if (!open || isPanic) continue;
    links.add(served.link);
    addAll(neighbours, dataplane.neighbours);
    addAll(routes, dataplane.routes);
  }
  const wants = (key: string, element: Element): boolean => {
    const link = elementLink(element);
    const dataplane = link === undefined ? undefined : dataplanes.get(link);
    return dataplane?.elements.has(key) || ofNoLink.has(key);
  };
  return { openings, links, hostElements, wants, chains, neighbours, routes };
};
