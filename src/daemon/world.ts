/** What the daemon knows of the store and the kernel, and how much of it is still true. */
import type { BackendVif, VifKey } from '../core/backend-vif.ts';
import { isVifName, type KernelState } from '../core/kernel-state.ts';
import type { Network } from '../net/network.ts';
import type { Backend, StoreChange } from '../xen/backend.ts';

export type World = {
  readonly vifs: () => ReadonlyMap<VifKey, BackendVif>;
  readonly names: () => ReadonlyMap<number, string>;
  readonly kernel: () => KernelState;
  readonly current: () => { readonly links: boolean; readonly elements: boolean };
  readonly touch: (change: StoreChange) => void;
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
  return {
    raise: () => {
      doubts += 1;
    },
    isSettled: () => settled === doubts,
    settle: async (observe: () => Promise<void>): Promise<void> => {
      const before = doubts;
      await observe();
      settled = before;
    },
  };
};

/** @param baseLost called when our tables were gone and had to be loaded again */
export const openWorld = (
  { network, backend }: { readonly network: Network; readonly backend: Backend },
  baseLost: () => void,
): World => {
  const vifs = new Map<VifKey, BackendVif>();
  const touched = new Set<StoreChange>(['all', 'names']);
  let names: ReadonlyMap<number, string> = new Map();
  let kernel = nothing;
  const links = openDoubt();
  const elements = openDoubt();

  const readVifs = async (keys: readonly VifKey[]): Promise<void> => {
    await Promise.all(
      keys.map(async (key) => {
        const vif = await backend.read(key);
        if (vif === undefined) vifs.delete(key);
        else vifs.set(key, vif);
      }),
    );
  };

  const refresh = async (): Promise<void> => {
    const changes = [...touched];
    touched.clear();
    if (changes.includes('names')) names = await backend.names();
    if (!changes.includes('all')) {
      await readVifs(changes.filter((change): change is VifKey => change !== 'names'));
      return;
    }
    const keys = await backend.keys();
    const present = new Set(keys);
    for (const key of vifs.keys()) if (!present.has(key)) vifs.delete(key);
    await readVifs(keys);
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
    touch: (change) => touched.add(change),
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
