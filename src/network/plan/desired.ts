/** What the kernel should have, and how much of that it lacks. */

import type { Prefix } from '../../address/prefix.ts';
import type { Chain, PolicyChains } from '../policy/policy-chain.ts';
import {
  type Element,
  elementLink,
  isAddressOnly,
  isSameElement,
  type KernelState,
  keyOfElement,
  type Neighbour,
  type Route,
} from '../state/kernel-state.ts';
import { type Decision, isConnected } from '../vif/decide-vifs.ts';
import { mtuToSet } from '../vif/mtu.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import { dataplaneOfVif, type VifDataplane } from './dataplane-of-vif.ts';

export type Planning = {
  /** Chains that are there even while no vif has them: those of the policy that most VMs share. */
  readonly kept: PolicyChains;
  readonly decisions: readonly Decision[];
  readonly kernel: KernelState;
  readonly gateways: readonly Prefix[];
  /** Whether a link's ingress chain may stand before the link. */
  readonly ingressMayPrecede: boolean;
  /** Of no vif in particular. */
  readonly hostElements: readonly Element[];
  /** The links that exist now. */
  readonly linkNames: ReadonlySet<string>;
  /** Links under change by a step still running: nothing is planned for them until it ends. */
  readonly busy: ReadonlySet<string>;
  /** Whether `kernel` is known to be true now: only then is anything repaired or taken away by it. */
  readonly current: { readonly links: boolean; readonly elements: boolean };
};

export type BringUp = {
  readonly served: ServedVif;
  readonly dataplane: VifDataplane;
  /** The MTU to set; undefined if the link has it. */
  readonly mtu: number | undefined;
  /** The elements that the firewall is not known to have. */
  readonly missing: readonly Element[];
  /** Of the verdict maps: elements under this link that lead to an earlier policy. */
  readonly replaced: readonly Element[];
  /** Routes that are there, behind somebody else's. */
  readonly behind: readonly Route[];
  /** The chains that the firewall is not known to have. */
  readonly chains: readonly Chain[];
  /** False while there is no link yet, or if all is well with it: then only rules are asked for. */
  readonly open: boolean;
};
export type Opening = BringUp & { readonly connected: boolean };

/** What a vif is served with, or will be. */
export const servedOf = (decision: Decision): ServedVif | undefined => {
  if (decision.kind === 'served') return decision.served;
  return decision.kind === 'waiting' ? decision.prospect : undefined;
};

export type Desired = {
  readonly openings: readonly Opening[];
  readonly links: ReadonlySet<string>;
  readonly hostElements: readonly Element[];
  /** Whether some vif, or net-vm, needs the element; asked for each that there is. */
  readonly wants: (key: string, element: Element) => boolean;
  readonly chains: ReadonlySet<string>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  readonly routes: ReadonlyMap<string, Route>;
};

/** What is asked of the kernel for one vif. */
const openingOf = (decision: Decision, planning: Planning): Opening | undefined => {
  const served = servedOf(decision);
  if (served === undefined) return undefined;
  const { gateways, kernel, current, ingressMayPrecede } = planning;
  const dataplane = dataplaneOfVif(served, gateways);
  const open = decision.kind === 'served';
  const connected = isConnected(decision.vif);
  const missing: Element[] = [];
  const replaced: Element[] = [];
  dataplane.elements.forEach((element, key) => {
    const before = current.elements ? kernel.elements.get(key) : undefined;
    const isKnown = before !== undefined && isSameElement(before, element);
    // Where a chain goes with its link, one that we know may be that of an earlier link.
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
  return { served, dataplane, mtu, missing, replaced, behind, chains, open, connected };
};

/** Here and in plan.ts, large maps are gone through by forEach, which makes no entries for the collector. */
const addAll = <T>(target: Map<string, T>, source: ReadonlyMap<string, T>): void => {
  source.forEach((item, key) => {
    target.set(key, item);
  });
};

export const desire = (planning: Planning): Desired => {
  const { decisions, hostElements, kept } = planning;
  const openings = decisions.flatMap((decision) => openingOf(decision, planning) ?? []);
  const links = new Set<string>();
  const dataplanes = new Map<string, VifDataplane>();
  const ofNoLink = new Set(hostElements.map(keyOfElement));
  const chains = new Set([kept.out.name, kept.in.name]);
  const neighbours = new Map<string, Neighbour>();
  const routes = new Map<string, Route>();
  for (const { served, dataplane, open } of openings) {
    dataplanes.set(served.link, dataplane);
    dataplane.elements.forEach((element, key) => {
      if (isAddressOnly(element)) ofNoLink.add(key);
    });
    for (const { name } of dataplane.chains) chains.add(name);
    if (!open) continue;
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
