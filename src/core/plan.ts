/** The difference between what the decisions ask for and what the kernel and the store have. */
import type { VifKey } from './backend-vif.ts';
import { type Decision, isConnected } from './decide.ts';
import { type Footprint, footprint, type ServedVif } from './footprint.ts';
import {
  type Element,
  elementAddress,
  elementLink,
  isVifName,
  type KernelState,
  keyed,
  keyOfElement,
  keyOfNeighbour,
  keyOfRoute,
  type Neighbour,
  type Route,
} from './kernel-state.ts';
import { mtuToSet } from './mtu.ts';
import type { Prefix } from './prefix.ts';
import type { Problem } from './problem.ts';

export type Raise = {
  readonly served: ServedVif;
  readonly footprint: Footprint;
  /** The MTU to set; undefined if the link has it. */
  readonly mtu: number | undefined;
  /** The elements that the firewall is not known to have. */
  readonly missing: readonly Element[];
  /** False while there is no link yet: then only the rules are made ready. */
  readonly open: boolean;
};
export type Refusal = { readonly key: VifKey; readonly problem: Problem };

export type Plan = {
  /** Vifs to bring up, or to mend. Everything about them is applied again: each step is idempotent. */
  readonly raise: readonly Raise[];
  /** Set elements that belong to no vif: those of the uplinks. */
  readonly hostElements: readonly Element[];
  /** Gateway addresses that `lo` lacks. */
  readonly gateways: readonly string[];
  readonly lower: {
    readonly links: readonly string[];
    readonly routes: readonly Route[];
    /** Of links that stay up; a link that goes down loses its own. */
    readonly neighbours: readonly Neighbour[];
  };
  /** Vifs whose backend directory is to be removed; whatever may be left of their links is in `lower`. */
  readonly finish: readonly VifKey[];
  /** Set elements nobody may use any more; deleted last, since deleting is slow. */
  readonly sweep: readonly Element[];
  /** The addresses among them that no vif has any more: their flows end. */
  readonly cut: readonly string[];
  /** Refusals that the store does not show yet. */
  readonly mark: readonly Refusal[];
};

export type Planning = {
  readonly decisions: readonly Decision[];
  readonly kernel: KernelState;
  readonly gateways: readonly Prefix[];
  readonly uplinks: readonly string[];
  /** Whether the MSS of VMs' connections is clamped. */
  readonly mssClamp: boolean;
  /** The links that exist now. */
  readonly linkNames: ReadonlySet<string>;
  /** Links under change by a step still running: nothing is planned for them until it ends. */
  readonly busy: ReadonlySet<string>;
  /** Whether `kernel` is known to be true now: only then is anything mended or taken away by it. */
  readonly current: { readonly links: boolean; readonly elements: boolean };
};

/** What the guest may read in `hotplug-error`: the code and nothing about its neighbours. */
export const hotplugErrorText = ({ code }: Problem): string => `vifwatch: ${code}`;

type Opening = Raise & { readonly connected: boolean };

const servedOf = (decision: Decision): ServedVif | undefined => {
  if (decision.is === 'served') return decision.served;
  return decision.is === 'waiting' ? decision.prospect : undefined;
};

/** What the kernel should have. */
type Desired = {
  readonly openings: readonly Opening[];
  readonly links: ReadonlySet<string>;
  readonly hostElements: readonly Element[];
  readonly elements: ReadonlyMap<string, Element>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  readonly routes: ReadonlyMap<string, Route>;
};

const hostElementsOf = ({ uplinks, mssClamp }: Planning): Element[] =>
  uplinks.flatMap((name): Element[] => [
    { set: 'uplink', parts: [name] },
    ...(mssClamp ? [{ set: 'mss_clamp', parts: [name] } as const] : []),
  ]);

const desire = (planning: Planning): Desired => {
  const { decisions, gateways, kernel, current } = planning;
  const isKnown = (element: Element): boolean =>
    current.elements && kernel.elements.has(keyOfElement(element));
  const openings = decisions.flatMap((decision): Opening[] => {
    const served = servedOf(decision);
    if (served === undefined) return [];
    const print = footprint(served, gateways);
    const missing = print.elements.filter((element) => !isKnown(element));
    const open = decision.is === 'served';
    const connected = isConnected(decision.vif);
    const mtu = mtuToSet(kernel.links.get(served.link), served.mtu, current.links);
    return [{ served, footprint: print, mtu, missing, open, connected }];
  });
  const opened = openings.filter(({ open }) => open);
  const prints = openings.map((opening) => opening.footprint);
  const hostElements = hostElementsOf(planning);
  return {
    openings,
    links: new Set(opened.map(({ served }) => served.link)),
    hostElements,
    elements: keyed([...hostElements, ...prints.flatMap((p) => p.elements)], keyOfElement),
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

const isComplete = ({ served, footprint: print, missing }: Raise, kernel: KernelState): boolean => {
  const link = kernel.links.get(served.link);
  return (
    link?.up === true &&
    (served.mtu === undefined || link.mtu === served.mtu) &&
    missing.length === 0 &&
    print.neighbours.every((neighbour) => kernel.neighbours.has(keyOfNeighbour(neighbour))) &&
    print.routes.every((route) => kernel.routes.has(keyOfRoute(route)))
  );
};

const planRaise = ({ openings }: Desired, { kernel, busy, current }: Planning): Raise[] => {
  const isKnown = current.links && current.elements;
  const isDue = (opening: Opening): boolean => {
    if (!opening.open) return opening.missing.length > 0;
    return !opening.connected || (isKnown && !isComplete(opening, kernel));
  };
  return openings.filter(({ served }) => !busy.has(served.link)).filter(isDue);
};

const planGateways = ({ kernel, gateways, current }: Planning): string[] => {
  const own = new Set([...kernel.links.values()].flatMap(({ addresses }) => addresses));
  const missing = gateways.map(({ text }) => text).filter((text) => !own.has(text));
  return current.links ? missing : [];
};

/** The names a vif's link may have. */
const linksOf = ({ vif }: Decision): string[] => {
  const born = `vif${vif.domid}.${vif.devid}`;
  return 'link' in vif.facts ? [...new Set([born, vif.facts.link])] : [born];
};

/** Links that are up although their vif is not served. */
const linksToClose = (desired: Desired, { decisions, kernel }: Planning): string[] => {
  const known = new Set([
    ...decisions.flatMap(linksOf),
    ...[...kernel.elements.values()].map(elementLink).filter(isVifName),
  ]);
  return [...known].filter(
    (link) => !desired.links.has(link) && kernel.links.get(link)?.up === true,
  );
};

const without = <T>(have: ReadonlyMap<string, T>, wanted: ReadonlyMap<string, unknown>): T[] =>
  [...have].flatMap(([key, item]) => (wanted.has(key) ? [] : [item]));

/** @param finishing links of finished vifs: they are closed even by an old observation, as dom0 waits */
const planLower = (
  desired: Desired,
  planning: Planning,
  finishing: ReadonlySet<string>,
): Plan['lower'] => {
  const { kernel, linkNames, busy, current } = planning;
  const mayClose = (link: string): boolean =>
    !busy.has(link) && (current.links || finishing.has(link));
  const toCome = new Set(without(desired.routes, kernel.routes).map(({ prefix }) => prefix));
  const leftOpen = [...finishing].filter(
    (link) => linkNames.has(link) && kernel.links.get(link)?.up !== false,
  );
  return {
    links: [...new Set([...linksToClose(desired, planning), ...leftOpen])].filter(mayClose),
    // One whose prefix goes to another link is replaced by that, not taken away before.
    routes: without(kernel.routes, desired.routes).filter(
      ({ link, prefix }) => mayClose(link) && !toCome.has(prefix),
    ),
    neighbours: without(kernel.neighbours, desired.neighbours).filter(
      ({ link }) => mayClose(link) && desired.links.has(link),
    ),
  };
};

const planMarks = (decisions: readonly Decision[]): Refusal[] =>
  decisions.flatMap((decision) => {
    if (decision.is !== 'refused') return [];
    const { problem, vif } = decision;
    const isShown = vif.hotplugStatus === 'error' && vif.hotplugError === hotplugErrorText(problem);
    return isShown ? [] : [{ key: vif.key, problem }];
  });

const addressesOf = (elements: readonly Element[]): string[] => [
  ...new Set(elements.flatMap((element) => elementAddress(element) ?? [])),
];

/** Pure: what is missing is added, what is in excess goes; applied to its end, a plan leaves nothing to plan. */
export const plan = (planning: Planning): Plan => {
  const { decisions, kernel, busy, current } = planning;
  const desired = desire(planning);
  const finished = decisions.filter(
    (decision) => decision.is === 'finished' && !linksOf(decision).some((link) => busy.has(link)),
  );
  const lower = planLower(desired, planning, new Set(finished.flatMap(linksOf)));
  // Rules go last: not before the links and routes that they guard.
  const guarded = new Set([
    ...busy,
    ...finished.flatMap(linksOf),
    ...lower.links,
    ...lower.routes.map(({ link }) => link),
  ]);
  const excess = without(kernel.elements, desired.elements);
  const stillHeld = new Set(addressesOf([...desired.elements.values()]));
  const swept = current.elements
    ? excess.filter((element) => !guarded.has(elementLink(element)))
    : [];
  return {
    raise: planRaise(desired, planning),
    hostElements: current.elements
      ? desired.hostElements.filter((element) => !kernel.elements.has(keyOfElement(element)))
      : [],
    gateways: planGateways(planning),
    lower,
    finish: finished.map(({ vif }) => vif.key),
    sweep: swept,
    cut: addressesOf(swept).filter((address) => !stillHeld.has(address)),
    mark: planMarks(decisions),
  };
};
