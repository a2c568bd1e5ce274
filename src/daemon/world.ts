/** What the daemon knows of the store and the kernel, and how much of it is still true. */
import {
  type BackendNode,
  type BackendRecord,
  type BackendVif,
  interpret,
  type VifKey,
} from '../core/backend-vif.ts';
import { type Element, isVifName, type KernelState, keyOfElement } from '../core/kernel-state.ts';
import type { Network } from '../net/network.ts';
import type { Backend, StoreChange } from '../xen/backend.ts';

export type World = {
  readonly vifs: () => ReadonlyMap<VifKey, BackendVif>;
  readonly names: () => ReadonlyMap<number, string>;
  readonly kernel: () => KernelState;
  readonly current: () => { readonly links: boolean; readonly elements: boolean };
  /** What should be observed when there is time: all that is not current, and what we changed. */
  readonly due: () => { readonly links: boolean; readonly elements: boolean };
  readonly touch: (change: StoreChange) => void;
  /** Elements that we put into the firewall, or took out of it. */
  readonly added: (elements: readonly Element[]) => void;
  readonly removed: (elements: readonly Element[]) => void;
  /** The MTU that netback has refused a vif. */
  readonly refusedMtus: () => ReadonlyMap<VifKey, number>;
  readonly mtuRefused: (key: VifKey, mtu: number) => void;
  readonly doubtLinks: () => void;
  readonly doubtElements: () => void;
  /** Reads again what was touched. */
  readonly refresh: () => Promise<void>;
  /** Observes what is in doubt; a doubt raised meanwhile stays. */
  readonly observeLinks: () => Promise<void>;
  readonly observeElements: () => Promise<void>;
};

const nothing: KernelState = {
  links: new Map(),
  elements: new Map(),
  neighbours: new Map(),
  routes: new Map(),
};

/** Knowledge is current once an observation that began after the last doubt has ended. */
const openDoubt = () => {
  let doubts = 1;
  let settled = 0;
  let isToBeVerified = false;
  return {
    raise: () => {
      doubts += 1;
    },
    /** What we did ourselves is believed, and looked at again when there is time. */
    verifyLater: () => {
      isToBeVerified = true;
    },
    isSettled: () => settled === doubts,
    isDue: () => settled !== doubts || isToBeVerified,
    settle: async (observe: () => Promise<void>): Promise<void> => {
      const before = doubts;
      isToBeVerified = false;
      await observe();
      settled = before;
    },
  };
};

type Nodes = ReadonlySet<BackendNode> | 'whole';

/** What is to be read again: as little as the events allow, since each read is a trip to xenstored. */
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

/** @param baseLost called when our tables were gone and had to be loaded again */
export const openWorld = (
  { network, backend }: { readonly network: Network; readonly backend: Backend },
  baseLost: () => void,
): World => {
  const records = new Map<VifKey, BackendRecord>();
  const vifs = new Map<VifKey, BackendVif>();
  const refusedMtus = new Map<VifKey, number>();
  const touched = openTouched();
  let names: ReadonlyMap<number, string> = new Map();
  let kernel = nothing;
  const links = openDoubt();
  const elements = openDoubt();

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

  const changeElements = (change: (all: Map<string, Element>) => void): void => {
    const changed = new Map(kernel.elements);
    change(changed);
    kernel = { ...kernel, elements: changed };
    elements.verifyLater();
  };

  const listElements = async (): Promise<KernelState['elements']> => {
    const elements = await network.nft.elements();
    if (elements !== undefined) return elements;
    await network.nft.loadBase();
    baseLost();
    return (await network.nft.elements()) ?? new Map();
  };

  return {
    vifs: () => vifs,
    names: () => names,
    kernel: () => kernel,
    current: () => ({ links: links.isSettled(), elements: elements.isSettled() }),
    due: () => ({ links: links.isDue(), elements: elements.isDue() }),
    touch: touched.add,
    added: (some) =>
      changeElements((all) => {
        for (const element of some) all.set(keyOfElement(element), element);
      }),
    removed: (some) =>
      changeElements((all) => {
        for (const element of some) all.delete(keyOfElement(element));
      }),
    refusedMtus: () => refusedMtus,
    mtuRefused: (key, mtu) => refusedMtus.set(key, mtu),
    doubtLinks: links.raise,
    doubtElements: elements.raise,
    refresh,
    observeLinks: () =>
      links.settle(async () => {
        const observed = await network.observeLinks();
        kernel = { ...kernel, ...observed };
      }),
    observeElements: () =>
      elements.settle(async () => {
        const observed = await listElements();
        kernel = { ...kernel, elements: observed };
      }),
  };
};

/** The interfaces VMs may send to, where the configuration does not say. */
export const everyUplink = (linkNames: ReadonlySet<string>): string[] =>
  [...linkNames].filter((name) => name !== 'lo' && !isVifName(name)).sort();
