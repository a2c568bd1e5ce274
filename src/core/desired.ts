/** What the kernel should have, and how much of that it lacks. */
import { type Decision, isConnected } from './decide.ts';
import { type Footprint, footprint, type ServedVif } from './footprint.ts';
import {
  type Element,
  elementLink,
  isVerdictMap,
  type KernelState,
  keyed,
  keyOfElement,
  keyOfNeighbour,
  keyOfRoute,
  type Neighbour,
  type Route,
} from './kernel-state.ts';
import { mtuToSet } from './mtu.ts';
import type { Chain, PolicyChains } from './policy-chain.ts';
import type { Prefix } from './prefix.ts';

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
  /** Whether `kernel` is known to be true now: only then is anything mended or taken away by it. */
  readonly current: { readonly links: boolean; readonly elements: boolean };
};

export type Raise = {
  readonly served: ServedVif;
  readonly footprint: Footprint;
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
export type Opening = Raise & { readonly connected: boolean };

const servedOf = (decision: Decision): ServedVif | undefined => {
  if (decision.is === 'served') return decision.served;
  return decision.is === 'waiting' ? decision.prospect : undefined;
};

export type Desired = {
  readonly openings: readonly Opening[];
  readonly links: ReadonlySet<string>;
  readonly hostElements: readonly Element[];
  readonly elements: ReadonlyMap<string, Element>;
  readonly chains: ReadonlySet<string>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  readonly routes: ReadonlyMap<string, Route>;
};

/** Which element of a verdict map a link has: there is only ever one. */
export const slotOf = (element: Element): string => `${element.set} ${elementLink(element)}`;

export const verdictsBySlot = (elements: Iterable<Element>): ReadonlyMap<string, Element> => {
  const verdicts = [...elements].filter(({ set }) => isVerdictMap(set));
  return keyed(verdicts, slotOf);
};

export const desire = (planning: Planning): Desired => {
  const { decisions, gateways, hostElements, kernel, current, kept, ingressMayPrecede } = planning;
  const isKnown = (element: Element): boolean =>
    current.elements && kernel.elements.has(keyOfElement(element));
  /** Where a chain goes with its link, one that we know may be that of an earlier link. */
  const isMissing = (element: Element, open: boolean, connected: boolean): boolean => {
    if (element.set !== 'ingress' || ingressMayPrecede) return !isKnown(element);
    return open && !(connected && isKnown(element));
  };
  const hasChain = ({ name, rules }: Chain): boolean =>
    current.elements && kernel.chains.get(name) === rules.length;
  let verdicts: ReadonlyMap<string, Element> | undefined;
  const earlierThan = (element: Element): Element | undefined => {
    // Mostly nobody asks.
    verdicts ??= verdictsBySlot(kernel.elements.values());
    return verdicts.get(slotOf(element));
  };
  const openings = decisions.flatMap((decision): Opening[] => {
    const served = servedOf(decision);
    if (served === undefined) return [];
    const print = footprint(served, gateways);
    const open = decision.is === 'served';
    const connected = isConnected(decision.vif);
    const missing = print.elements.filter((element) => isMissing(element, open, connected));
    const replaced = missing.flatMap((element) => {
      const earlier = isVerdictMap(element.set) ? earlierThan(element) : undefined;
      return earlier === undefined || keyOfElement(earlier) === keyOfElement(element)
        ? []
        : [earlier];
    });
    const mtu = mtuToSet(kernel.links.get(served.link), served.mtu, current.links);
    const behind = print.routes.filter((route) => kernel.rivals.get(keyOfRoute(route))?.isBeatable);
    const chains = print.chains.filter((chain) => !hasChain(chain));
    return [{ served, footprint: print, mtu, missing, replaced, behind, chains, open, connected }];
  });
  const opened = openings.filter(({ open }) => open);
  const prints = openings.map((opening) => opening.footprint);
  return {
    openings,
    links: new Set(opened.map(({ served }) => served.link)),
    hostElements,
    elements: keyed([...hostElements, ...prints.flatMap((p) => p.elements)], keyOfElement),
    chains: new Set(
      [kept.out, kept.in, ...prints.flatMap((p) => p.chains)].map(({ name }) => name),
    ),
    neighbours: keyed(
      opened.flatMap((opening) => opening.footprint.neighbours),
      keyOfNeighbour,
    ),
    routes: keyed(
      opened.flatMap((opening) => opening.footprint.routes),
      keyOfRoute,
    ),
  };
};
