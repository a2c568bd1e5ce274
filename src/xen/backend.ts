/** The vif part of net-vm's own backend tree in xenstore. */
import { filter, map, merge, type Observable } from 'rxjs';
import {
  type BackendNode,
  type BackendRecord,
  type BackendVif,
  backendNodes,
  type VifKey,
  vifKey,
  xenbus,
} from '../core/backend-vif.ts';
import { type Xenstore, XenstoreError } from './xenstore.ts';

/** What to read again: one vif, or one node of it, or all vifs, or the name map. */
export type StoreChange =
  | { readonly key: VifKey; readonly node: BackendNode | undefined }
  | 'all'
  | 'names';

export type Backend = {
  /** First an `all`, then what changes. */
  readonly changes: Observable<StoreChange>;
  readonly keys: () => Promise<readonly VifKey[]>;
  /**
   * Reads `nodes` of a vif, and with its state what the guest says its addresses are; the others are
   * taken from `before`. Undefined if there is no such vif (any more).
   */
  readonly read: (
    key: VifKey,
    nodes?: readonly BackendNode[],
    before?: BackendRecord,
  ) => Promise<BackendRecord | undefined>;
  /** The names dom0 gives to domids in /ipc/domain-map; empty where there is none or it is not readable. */
  readonly names: () => Promise<ReadonlyMap<number, string>>;
  /** False if the vif has been closed or replaced meanwhile, and then nothing was written. */
  readonly markConnected: (vif: BackendVif) => Promise<boolean>;
  /** Writes `hotplug-error`, then `hotplug-status=error`, unless the vif is gone. */
  readonly markError: (key: VifKey, text: string) => Promise<void>;
  /** Tells the guest the MTU, in the one node of its directory that is ours; a guest may have removed it. */
  readonly hintMtu: (key: VifKey, mtu: number) => Promise<void>;
  /** Removes the backend directory if it is still closed for good. The parents are dom0's. */
  readonly remove: (key: VifKey) => Promise<void>;
};

const domainMap = '/ipc/domain-map';

/** Missing nodes below unreadable parents are EACCES in C xenstored and ENOENT in oxenstored. */
const isGone = (error: unknown): boolean =>
  error instanceof XenstoreError && (error.code === 'ENOENT' || error.code === 'EACCES');

const ifGone = async <T>(result: Promise<T>, fallback: T): Promise<T> => {
  try {
    return await result;
  } catch (error) {
    if (isGone(error)) return fallback;
    throw error;
  }
};

const optional = (result: Promise<string>): Promise<string | undefined> =>
  ifGone(result, undefined);

class Replaced extends Error {}

const idsOf = (key: VifKey): { domid: number; devid: number } => {
  const [domid, devid] = key.split('/').map(Number);
  return { domid: domid ?? 0, devid: devid ?? 0 };
};

const decimal = (text: string): boolean => /^(0|[1-9]\d{0,8})$/.test(text);

const watched: ReadonlySet<string> = new Set(backendNodes);

const isWatched = (node: string): node is BackendNode => watched.has(node);

/** Which vif an event path under `root` speaks of; undefined for nodes that decide nothing. */
const changeOf = (root: string, path: string): StoreChange | undefined => {
  if (!path.startsWith(`${root}/`)) return 'all';
  const [domid = '', devid = '', node] = path.slice(root.length + 1).split('/');
  if (!decimal(domid) || !decimal(devid)) return 'all';
  if (node !== undefined && !isWatched(node)) return undefined;
  return { key: vifKey(Number(domid), Number(devid)), node };
};

const frontendOf = (key: VifKey): string => {
  const { domid, devid } = idsOf(key);
  return `/local/domain/${domid}/device/vif/${devid}`;
};

/** @param domid net-vm's own */
export const openBackend = (store: Xenstore, domid: number): Backend => {
  const root = `/local/domain/${domid}/backend/vif`;
  const list = (path: string) => ifGone<readonly string[]>(store.list(path), []);

  const read: Backend['read'] = async (key, nodes = backendNodes, before) => {
    const [frontendIp, ...values] = await Promise.all([
      nodes.includes('state') ? optional(store.read(`${frontendOf(key)}/ip`)) : before?.frontendIp,
      ...nodes.map((node) => optional(store.read(`${root}/${key}/${node}`))),
    ]);
    const found = { ...before?.nodes };
    for (const [index, node] of nodes.entries()) {
      const value = values[index];
      if (value === undefined) delete found[node];
      else found[node] = value;
    }
    if (Object.keys(found).length === 0) return undefined;
    return { ...idsOf(key), nodes: found, frontendIp };
  };

  const markConnected = async (vif: BackendVif): Promise<boolean> => {
    const path = `${root}/${vif.key}`;
    let attempted = false;
    try {
      await store.transaction(async (tx) => {
        // A conflict means that somebody changed what we read: the next pass judges the vif anew.
        if (attempted) throw new Replaced();
        attempted = true;
        const [state, online] = await Promise.all([
          store.read(`${path}/state`, tx),
          store.read(`${path}/online`, tx),
        ]);
        if (state !== String(vif.state) || online !== (vif.online ? '1' : '0'))
          throw new Replaced();
        if (vif.hotplugError !== '') await store.remove(`${path}/hotplug-error`, tx);
        await store.write(`${path}/hotplug-status`, 'connected', tx);
      });
      return true;
    } catch (error) {
      if (error instanceof Replaced || isGone(error)) return false;
      throw error;
    }
  };

  const markError = async (key: VifKey, text: string): Promise<void> => {
    const path = `${root}/${key}`;
    const write = store.transaction(async (tx) => {
      await store.read(`${path}/state`, tx);
      await store.write(`${path}/hotplug-error`, text, tx);
      await store.write(`${path}/hotplug-status`, 'error', tx);
    });
    await ifGone(write, undefined);
  };

  const remove = async (key: VifKey): Promise<void> => {
    const path = `${root}/${key}`;
    const removal = store.transaction(async (tx) => {
      const state = await store.read(`${path}/state`, tx);
      const online = await optional(store.read(`${path}/online`, tx));
      if (state === String(xenbus.closed) && online !== '1') await store.remove(path, tx);
    });
    await ifGone(removal, undefined);
  };

  const names = async (): Promise<ReadonlyMap<number, string>> => {
    const listed = await list(domainMap);
    const domids = await Promise.all(
      listed.map((name) => optional(store.read(`${domainMap}/${name}`))),
    );
    const entries = listed.map((name, index) => [domids[index] ?? '', name] as const);
    return new Map(entries.flatMap(([id, name]) => (decimal(id) ? [[Number(id), name]] : [])));
  };

  return {
    changes: merge(
      store.watch(root).pipe(map((path) => changeOf(root, path))),
      store.watch(domainMap).pipe(map((): StoreChange => 'names')),
    ).pipe(filter((change) => change !== undefined)),
    keys: async () => {
      const domids = (await list(root)).filter(decimal);
      const devids = await Promise.all(domids.map((id) => list(`${root}/${id}`)));
      return domids.flatMap((id, index) =>
        (devids[index] ?? []).filter(decimal).map((devid) => vifKey(Number(id), Number(devid))),
      );
    },
    read,
    names,
    markConnected,
    markError,
    hintMtu: (key, mtu) => ifGone(store.write(`${frontendOf(key)}/mtu`, String(mtu)), undefined),
    remove,
  };
};
