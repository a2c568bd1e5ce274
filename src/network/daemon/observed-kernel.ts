/** The daemon's knowledge of the kernel, and which parts of it are current. */

import type { LinkName } from '../../address/link-name.ts';
import type { Network } from '../kernel/network.ts';
import type { Garbage } from '../plan/plan.ts';
import { type Element, keyOfElement } from '../state/element.ts';
import type { ChainState, KernelState } from '../state/kernel-state.ts';
import type { Additions } from '../text/nft-json.ts';
import { openChainFingerprints } from './chain-fingerprints.ts';
import { openFreshness } from './freshness.ts';

export type ObservedKernel = {
  readonly kernel: () => KernelState;
  readonly current: () => { readonly links: boolean; readonly elements: boolean };
  /** The parts to observe when there is time: those that are not current, and the daemon's own changes. */
  readonly due: () => {
    readonly links: boolean;
    readonly elements: boolean;
    readonly verification: boolean;
  };
  /** Records what the daemon has added to the firewall. */
  readonly added: (what: Additions) => void;
  /** Records what the daemon has removed from the firewall. */
  readonly removed: (what: Garbage) => void;
  readonly invalidateLinks: () => void;
  /** Whether the kernel's last known state has a permanent or proxy entry for this address on this link. */
  readonly isOurNeighbour: (neighbour: NeighbourName) => boolean;
  readonly invalidateElements: () => void;
  /** Observes the kernel. A part that is invalidated during its observation stays invalid. */
  readonly observeLinks: () => Promise<void>;
  readonly observeElements: () => Promise<void>;
};

type NeighbourName = { readonly address: string; readonly link: LinkName };

const emptyState: KernelState = {
  links: new Map(),
  elements: new Map(),
  chains: new Map(),
  neighbours: new Map(),
  routes: new Map(),
  shadowingRoutes: new Map(),
  needed: new Map(),
  forwardingOff: [],
  isIpv6Off: false,
};

/** The firewall's elements and chains, to be changed. */
type Draft = {
  readonly elements: Map<string, Element>;
  readonly chains: Map<string, ChainState>;
};

const add = (what: Additions, { elements, chains }: Draft): void => {
  for (const element of what.replaced) elements.delete(keyOfElement(element));
  for (const element of what.elements) elements.set(keyOfElement(element), element);
  for (const { name, rules } of what.chains) chains.set(name, rules.length);
};

const remove = (what: Garbage, { elements, chains }: Draft): void => {
  for (const element of what.elements) elements.delete(keyOfElement(element));
  for (const name of what.chains) chains.delete(name);
};

/** The names are built once per observation, since the monitor asks for each of its many lines. */
const openNeighbourNames = () => {
  const nameOf = ({ address, link }: NeighbourName): string => `${address} ${link}`;
  let known: { readonly of?: unknown; readonly names: ReadonlySet<string> } = { names: new Set() };
  return (neighbours: KernelState['neighbours'], neighbour: NeighbourName): boolean => {
    if (known.of !== neighbours)
      known = { of: neighbours, names: new Set([...neighbours.values()].map(nameOf)) };
    return known.names.has(nameOf(neighbour));
  };
};

/** @param tablesLost called when one of the daemon's tables is missing */
export const openObservedKernel = (
  network: Pick<Network, 'observeLinks'> & { readonly nft: Pick<Network['nft'], 'observe'> },
  tablesLost: () => void,
): ObservedKernel => {
  const fingerprints = openChainFingerprints();
  const links = openFreshness();
  const elements = openFreshness();
  const hasNeighbour = openNeighbourNames();
  let kernel = emptyState;

  const changeFirewall = (change: (draft: Draft) => void): void => {
    const draft = { elements: new Map(kernel.elements), chains: new Map(kernel.chains) };
    change(draft);
    kernel = { ...kernel, ...draft };
    elements.verifyLater();
  };

  const observeFirewall = async (): Promise<void> => {
    const firewall = await network.nft.observe();
    if (firewall === undefined) {
      tablesLost();
      elements.invalidate();
      return;
    }
    const chains = fingerprints.statesOf(firewall);
    kernel = { ...kernel, elements: firewall.elements, chains };
  };

  return {
    kernel: () => kernel,
    current: () => ({ links: links.isCurrent(), elements: elements.isCurrent() }),
    due: () => ({
      links: !links.isCurrent(),
      elements: !elements.isCurrent(),
      verification: elements.isToBeVerified(),
    }),
    added: (what) => {
      changeFirewall((draft) => add(what, draft));
      fingerprints.written(what.chains);
    },
    removed: (what) => {
      changeFirewall((draft) => remove(what, draft));
      fingerprints.forget(what.chains);
    },
    invalidateLinks: links.invalidate,
    isOurNeighbour: (neighbour) => hasNeighbour(kernel.neighbours, neighbour),
    invalidateElements: elements.invalidate,
    observeLinks: () =>
      links.observe(async () => {
        const observed = await network.observeLinks();
        kernel = { ...kernel, ...observed };
      }),
    observeElements: () => elements.observe(observeFirewall),
  };
};
