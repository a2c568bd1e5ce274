/** The difference between what the decisions ask for and what the kernel and the store have. */
import type { VifKey } from './backend-vif.ts';
import { type Decision, isConnected } from './decide.ts';
import { type Footprint, footprint, type ServedVif } from './footprint.ts';
import {
  type Element,
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
import type { Prefix } from './prefix.ts';
import type { Problem } from './problem.ts';

export type Raise = { readonly served: ServedVif; readonly footprint: Footprint };
export type Refusal = { readonly key: VifKey; readonly problem: Problem };

export type Plan = {
  /** Vifs to bring up, or to mend. Everything about them is applied again: each step is idempotent. */
  readonly raise: readonly Raise[];
  /** Set elements that belong to no vif: the uplinks. */
  readonly hostElements: readonly Element[];
  /** Gateway addresses that `lo` lacks. */
  readonly gateways: readonly string[];
  readonly lower: {
    readonly links: readonly string[];
    readonly routes: readonly Route[];
    /** Of links that stay up; a link that goes down loses its own. */
    readonly neighbours: readonly Neighbour[];
  };
  /** Vifs whose backend directory is to be removed. */
  readonly finish: readonly VifKey[];
  /** Set elements nobody may use any more; deleted last, since deleting is slow. */
  readonly sweep: readonly Element[];
  /** Refusals that the store does not show yet. */
  readonly mark: readonly Refusal[];
};

export type Planning = {
  readonly decisions: readonly Decision[];
  readonly kernel: KernelState;
  readonly gateways: readonly Prefix[];
  readonly uplinks: readonly string[];
  /** Links under change by a step still running: nothing is planned for them until it ends. */
  readonly busy: ReadonlySet<string>;
  /** Whether `kernel` is known to be true now: only then is anything mended or taken away by it. */
  readonly current: { readonly links: boolean; readonly elements: boolean };
};

/** What the guest may read in `hotplug-error`: the code and nothing about its neighbours. */
export const hotplugErrorText = ({ code }: Problem): string => `vifwatch: ${code}`;

const isComplete = (served: ServedVif, print: Footprint, kernel: KernelState): boolean => {
  const link = kernel.links.get(served.link);
  return (
    link?.up === true &&
    (served.mtu === undefined || link.mtu === served.mtu) &&
    print.elements.every((element) => kernel.elements.has(keyOfElement(element))) &&
    print.neighbours.every((neighbour) => kernel.neighbours.has(keyOfNeighbour(neighbour))) &&
    print.routes.every((route) => kernel.routes.has(keyOfRoute(route)))
  );
};

const without = <T>(
  have: ReadonlyMap<string, T>,
  wanted: ReadonlyMap<string, unknown>,
  keep: (item: T) => boolean,
): T[] =>
  [...have].filter(([key, item]) => !wanted.has(key) && !keep(item)).map(([, item]) => item);

const needsMark = ({ vif, is }: Decision, problem: Problem | undefined): boolean =>
  is === 'refused' &&
  problem !== undefined &&
  (vif.hotplugStatus !== 'error' || vif.hotplugError !== hotplugErrorText(problem));

/** Links that are up although their vif is not served. */
const linksToClose = (
  decisions: readonly Decision[],
  served: ReadonlySet<string>,
  kernel: KernelState,
): string[] => {
  const closed = new Set<string>();
  for (const { vif } of decisions) {
    closed.add(`vif${vif.domid}.${vif.devid}`);
    if ('link' in vif.facts) closed.add(vif.facts.link);
  }
  for (const element of kernel.elements.values()) closed.add(elementLink(element));
  return [...closed].filter(
    (name) => isVifName(name) && !served.has(name) && kernel.links.get(name)?.up === true,
  );
};

const nothingToLower: Plan['lower'] = { links: [], routes: [], neighbours: [] };

export const plan = (planning: Planning): Plan => {
  const { decisions, kernel, gateways, uplinks, busy, current } = planning;
  const isBusy = (link: string) => busy.has(link);
  const isCurrent = current.links && current.elements;
  const raises = decisions.flatMap((decision): (Raise & { connected: boolean })[] => {
    if (decision.is !== 'served') return [];
    const { served, vif } = decision;
    return [{ served, footprint: footprint(served, gateways), connected: isConnected(vif) }];
  });
  const prints = raises.map((raise) => raise.footprint);
  const hostElements = uplinks.map((name): Element => ({ set: 'uplink', parts: [name] }));
  const elements = keyed([...hostElements, ...prints.flatMap((p) => p.elements)], keyOfElement);
  const neighbours = keyed(
    prints.flatMap((p) => p.neighbours),
    keyOfNeighbour,
  );
  const routes = keyed(
    prints.flatMap((p) => p.routes),
    keyOfRoute,
  );
  const servedLinks = new Set(raises.map(({ served }) => served.link));
  const ownAddresses = new Set([...kernel.links.values()].flatMap(({ addresses }) => addresses));
  return {
    raise: raises.filter(
      ({ served, footprint: print, connected }) =>
        !isBusy(served.link) && (!connected || (isCurrent && !isComplete(served, print, kernel))),
    ),
    hostElements: hostElements.filter(
      (element) => current.elements && !kernel.elements.has(keyOfElement(element)),
    ),
    gateways: !current.links
      ? []
      : gateways.map(({ text }) => text).filter((text) => !ownAddresses.has(text)),
    lower: !current.links
      ? nothingToLower
      : {
          links: linksToClose(decisions, servedLinks, kernel).filter((link) => !isBusy(link)),
          routes: without(kernel.routes, routes, ({ link }) => isBusy(link)),
          neighbours: without(
            kernel.neighbours,
            neighbours,
            ({ link }) => isBusy(link) || !servedLinks.has(link),
          ),
        },
    finish: decisions
      .filter(
        ({ is, vif }) =>
          is === 'finished' && current.links && !isBusy(`vif${vif.domid}.${vif.devid}`),
      )
      .map(({ vif }) => vif.key),
    sweep: !current.elements
      ? []
      : without(kernel.elements, elements, (element) => isBusy(elementLink(element))),
    mark: decisions.flatMap((decision) => {
      const problem = decision.is === 'refused' ? decision.problem : undefined;
      return problem !== undefined && needsMark(decision, problem)
        ? [{ key: decision.vif.key, problem }]
        : [];
    }),
  };
};
