/** The daemon's knowledge of the vifs and names in xenstore. */

import type { Backend } from '../store/backend.ts';
import type { StoreChange } from '../store/vif-paths.ts';
import {
  type BackendNode,
  type BackendRecord,
  type BackendVif,
  interpret,
  type VifKey,
  type VmNames,
} from '../vif/backend-vif.ts';

export type ObservedVifs = {
  readonly vifs: () => ReadonlyMap<VifKey, BackendVif>;
  readonly names: () => VmNames;
  /** Marks a part of xenstore that the next `refresh` reads. */
  readonly touch: (change: StoreChange) => void;
  /** Reads the touched parts of xenstore again. */
  readonly refresh: () => Promise<void>;
  /** Per vif, the inherited MTU that its link has refused. */
  readonly refusedMtus: () => ReadonlyMap<VifKey, number>;
  readonly mtuRefused: (key: VifKey, mtu: number) => void;
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

/** @param wantedNames the names of VMs in the configuration, which are read even if the map cannot be listed */
export const openObservedVifs = (
  backend: Pick<Backend, 'read' | 'keys' | 'names'>,
  wantedNames: () => ReadonlySet<string>,
): ObservedVifs => {
  const records = new Map<VifKey, BackendRecord>();
  const vifs = new Map<VifKey, BackendVif>();
  const refusedMtus = new Map<VifKey, number>();
  const touched = openTouched();
  let names: VmNames = new Map();
  /** The names that were asked for; undefined if all names are known. */
  let asked: ReadonlySet<string> | undefined;

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
    const wanted = changes.names || asked !== undefined ? wantedNames() : new Set<string>();
    if (changes.names || [...wanted].some((name) => !asked?.has(name))) {
      const read = await backend.names(wanted);
      names = read.names;
      asked = read.isListed ? undefined : new Set(wanted);
    }
    const keys = changes.all ? [...records.keys(), ...(await backend.keys())] : [];
    const all = keys.map((key) => [key, 'whole'] as const);
    const toRead = new Map<VifKey, Nodes>([...changes.vifs, ...all]);
    await Promise.all([...toRead].map(([key, nodes]) => readVif(key, nodes)));
  };

  return {
    vifs: () => vifs,
    names: () => names,
    touch: touched.add,
    refresh,
    refusedMtus: () => refusedMtus,
    mtuRefused: (key, mtu) => refusedMtus.set(key, mtu),
  };
};
