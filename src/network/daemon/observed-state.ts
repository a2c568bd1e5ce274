/** The daemon's knowledge of xenstore and the kernel, and which parts of it are current. */

import type { Network } from '../kernel/network.ts';
import type { Garbage } from '../plan/plan.ts';
import { type Element, isVifName, type KernelState, keyOfElement } from '../state/kernel-state.ts';
import type { Backend, StoreChange } from '../store/backend.ts';
import type { Additions } from '../text/nft-json.ts';
import {
  type BackendNode,
  type BackendRecord,
  type BackendVif,
  interpret,
  type VifKey,
} from '../vif/backend-vif.ts';
import { openChainFingerprints } from './chain-fingerprints.ts';

export type ObservedState = {
  readonly vifs: () => ReadonlyMap<VifKey, BackendVif>;
  readonly names: () => ReadonlyMap<number, string>;
  readonly kernel: () => KernelState;
  readonly current: () => { readonly links: boolean; readonly elements: boolean };
  /** The parts to observe when there is time: those that are not current, and the daemon's own changes. */
  readonly due: () => {
    readonly links: boolean;
    readonly elements: boolean;
    readonly verification: boolean;
  };
  /** Marks a part of xenstore that the next `refresh` reads. */
  readonly touch: (change: StoreChange) => void;
  /** Records what the daemon has added to the firewall. */
  readonly added: (what: Additions) => void;
  /** Records what the daemon has removed from the firewall. */
  readonly removed: (what: Garbage) => void;
  /** Per vif, the inherited MTU that its link has refused. */
  readonly refusedMtus: () => ReadonlyMap<VifKey, number>;
  readonly mtuRefused: (key: VifKey, mtu: number) => void;
  readonly invalidateLinks: () => void;
  /** Whether the kernel's last known state has a permanent or proxy entry for this address on this link. */
  readonly isOurNeighbour: (neighbour: {
    readonly address: string;
    readonly link: string;
  }) => boolean;
  readonly invalidateElements: () => void;
  /** Reads the touched parts of xenstore again. */
  readonly refresh: () => Promise<void>;
  /** Observes the kernel. A part that is invalidated during its observation stays invalid. */
  readonly observeLinks: () => Promise<void>;
  readonly observeElements: () => Promise<void>;
};

const emptyState: KernelState = {
  links: new Map(),
  elements: new Map(),
  chains: new Map(),
  neighbours: new Map(),
  routes: new Map(),
  shadowingRoutes: new Map(),
};

/** Knowledge is current once an observation that began after the last invalidation has ended. */
const openFreshness = () => {
  let invalidations = 1;
  let observedUpTo = 0;
  let isToBeVerified = false;
  return {
    invalidate: () => {
      invalidations += 1;
    },
    /** The daemon trusts its own changes, and verifies them when there is time. */
    verifyLater: () => {
      isToBeVerified = true;
    },
    isCurrent: () => observedUpTo === invalidations,
    isToBeVerified: () => isToBeVerified,
    observe: async (observe: () => Promise<void>): Promise<void> => {
      const before = invalidations;
      isToBeVerified = false;
      await observe();
      observedUpTo = before;
    },
  };
};

type Nodes = ReadonlySet<BackendNode> | 'whole';

/** Collects what to read again: as little as the events allow, since each read is a trip to xenstored. */
const openTouched = () => {
  let all = true;
  let names = true;
  let vifs = new Map<VifKey, Nodes>();
  return {
    add: (change: StoreChange): void => {
      if (change === 'all') all = true;
      else if (change === 'names') names = true;
      else {
        const { key, node } = change;
        const before = vifs.get(key) ?? new Set();
        const isWhole = node === undefined || before === 'whole';
        vifs.set(key, isWhole ? 'whole' : new Set([...before, node]));
      }
    },
    take: () => {
      const taken = { all, names, vifs };
      all = false;
      names = false;
      vifs = new Map();
      return taken;
    },
  };
};

/** @param tablesLost called when one of the daemon's tables is missing */
export const openObservedState = (
  { network, backend }: { readonly network: Network; readonly backend: Backend },
  tablesLost: () => void,
): ObservedState => {
  const records = new Map<VifKey, BackendRecord>();
  const vifs = new Map<VifKey, BackendVif>();
  const refusedMtus = new Map<VifKey, number>();
  const touched = openTouched();
  const fingerprints = openChainFingerprints();
  let names: ReadonlyMap<number, string> = new Map();
  let kernel = emptyState;
  const links = openFreshness();
  const elements = openFreshness();

  const readVif = async (key: VifKey, nodes: Nodes): Promise<void> => {
    const before = records.get(key);
    const isWhole = nodes === 'whole' || before === undefined;
    const record = await (isWhole ? backend.read(key) : backend.read(key, [...nodes], before));
    if (record === undefined) {
      records.delete(key);
      vifs.delete(key);
      refusedMtus.delete(key);
    } else {
      records.set(key, record);
      vifs.set(key, interpret(record));
    }
  };

  const refresh = async (): Promise<void> => {
    const changes = touched.take();
    if (changes.names) names = await backend.names();
    const keys = changes.all ? [...records.keys(), ...(await backend.keys())] : [];
    const all = keys.map((key) => [key, 'whole'] as const);
    const toRead = new Map<VifKey, Nodes>([...changes.vifs, ...all]);
    await Promise.all([...toRead].map(([key, nodes]) => readVif(key, nodes)));
  };

  const changeFirewall = (
    change: (elements: Map<string, Element>, chains: Map<string, number>) => void,
  ): void => {
    const changed = { elements: new Map(kernel.elements), chains: new Map(kernel.chains) };
    change(changed.elements, changed.chains);
    kernel = { ...kernel, ...changed };
    elements.verifyLater();
  };

  /** Built once per observation, since the monitor asks for each of its many lines. */
  let entries = { of: kernel.neighbours, names: new Set<string>() };
  const isOurNeighbour: ObservedState['isOurNeighbour'] = ({ address, link }) => {
    const { neighbours } = kernel;
    if (entries.of !== neighbours) {
      const names = [...neighbours.values()].map((entry) => `${entry.address} ${entry.link}`);
      entries = { of: neighbours, names: new Set(names) };
    }
    return entries.names.has(`${address} ${link}`);
  };

  const observeFirewall = async (): Promise<Pick<KernelState, 'elements' | 'chains'>> => {
    const firewall = await network.nft.observe();
    if (firewall !== undefined)
      return { elements: firewall.elements, chains: fingerprints.countRules(firewall) };
    tablesLost();
    elements.invalidate();
    return kernel;
  };

  return {
    vifs: () => vifs,
    names: () => names,
    kernel: () => kernel,
    current: () => ({ links: links.isCurrent(), elements: elements.isCurrent() }),
    due: () => ({
      links: !links.isCurrent(),
      elements: !elements.isCurrent(),
      verification: elements.isToBeVerified(),
    }),
    touch: touched.add,
    added: (what) =>
      changeFirewall((elements, chains) => {
        for (const element of what.replaced) elements.delete(keyOfElement(element));
        for (const element of what.elements) elements.set(keyOfElement(element), element);
        for (const { name, rules } of what.chains) chains.set(name, rules.length);
        // The next observation shows what was just written. The known fingerprint may include a change by
        // another program that came before the chain's first observation.
        fingerprints.forget(what.chains.map(({ name }) => name));
      }),
    removed: (what) =>
      changeFirewall((elements, chains) => {
        for (const element of what.elements) elements.delete(keyOfElement(element));
        for (const name of what.chains) chains.delete(name);
        fingerprints.forget(what.chains);
      }),
    refusedMtus: () => refusedMtus,
    mtuRefused: (key, mtu) => refusedMtus.set(key, mtu),
    invalidateLinks: links.invalidate,
    isOurNeighbour,
    invalidateElements: elements.invalidate,
    refresh,
    observeLinks: () =>
      links.observe(async () => {
        const observed = await network.observeLinks();
        kernel = { ...kernel, ...observed };
      }),
    observeElements: () =>
      elements.observe(async () => {
        const { elements: all, chains } = await observeFirewall();
        kernel = { ...kernel, elements: all, chains };
      }),
  };
};

/** The uplinks if the configuration names none: all links except lo and vifs. */
export const everyUplink = (linkNames: ReadonlySet<string>): string[] =>
  [...linkNames].filter((name) => name !== 'lo' && !isVifName(name)).sort();
