/** The vif part of net-vm's own backend tree in xenstore. */

import { filter, map, merge, type Observable } from 'rxjs';
import { isRefusal, type Transaction, type Xenstore, XenstoreError } from '../../xen/xenstore.ts';
import {
  type BackendNode,
  type BackendRecord,
  type BackendVif,
  backendNodes,
  type VifKey,
  vifKey,
  xenbus,
} from '../vif/backend-vif.ts';

/** A part of xenstore to read again: one vif, one node of a vif, all vifs, or the name map. */
export type StoreChange =
  | { readonly key: VifKey; readonly node: BackendNode | undefined }
  | 'all'
  | 'names';

export type Backend = {
  /** Emits `all` and `names` at the start, then each change. */
  readonly changes: Observable<StoreChange>;
  readonly keys: () => Promise<readonly VifKey[]>;
  /**
   * Reads `nodes` of a vif and takes the others from `before`. Together with the state, it also reads the
   * addresses that the guest claims, but only if the vif is connected or dom0 wrote no `ip`: the claim must
   * not delay a vif that comes up. Undefined if the vif does not exist.
   */
  readonly read: (
    key: VifKey,
    nodes?: readonly BackendNode[],
    before?: BackendRecord,
  ) => Promise<BackendRecord | undefined>;
  /** The names that dom0 gives to domids in /ipc/domain-map; empty if the map is missing or unreadable. */
  readonly names: () => Promise<ReadonlyMap<number, string>>;
  /**
   * Writes `hotplug-status=connected` for the vifs and returns the keys of the vifs for which it was
   * written. It skips a vif that was closed or replaced meanwhile.
   * @throws XenstoreError, also if a quota is full
   */
  readonly markConnected: (vifs: readonly BackendVif[]) => Promise<ReadonlySet<VifKey>>;
  /**
   * Writes `hotplug-error`, then `hotplug-status=error`, unless the vif is gone. False if xenstored refused
   * a write, for example because a quota is full.
   */
  readonly markError: (key: VifKey, text: string) => Promise<boolean>;
  /**
   * Writes the MTU into the guest's frontend directory, where only the `mtu` node belongs to net-vm. The
   * guest may have removed that node, so a refusal is not an error.
   */
  readonly hintMtu: (key: VifKey, mtu: number) => Promise<unknown>;
  /** Removes the backend directory if it is still closed and offline. Its parents belong to dom0. */
  readonly remove: (key: VifKey) => Promise<void>;
};

const domainMap = '/ipc/domain-map';

/** A missing node below an unreadable parent gives EACCES in C xenstored and ENOENT in oxenstored. */
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

/** True if the request succeeded, false if xenstored refused it. */
const ifRefused = async (result: Promise<unknown>): Promise<boolean> => {
  try {
    await result;
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
};

class Replaced extends Error {}

const idsOf = (key: VifKey): { domid: number; devid: number } => {
  const [domid, devid] = key.split('/').map(Number);
  return { domid: domid ?? 0, devid: devid ?? 0 };
};

/** xenstored's quota "transaction-nodes" lets a transaction touch 1024 nodes; a vif takes up to five. */
const mostPerTransaction = 100;

const decimal = (text: string): boolean => /^(0|[1-9]\d{0,8})$/.test(text);

const watched: ReadonlySet<string> = new Set(backendNodes);

const isWatched = (node: string): node is BackendNode => watched.has(node);

/** The change that an event path reports; undefined for a node that no decision depends on. */
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

/** @param domid net-vm's own domid */
export const openBackend = (store: Xenstore, domid: number): Backend => {
  const root = `/local/domain/${domid}/backend/vif`;
  const list = (path: string) => ifGone<readonly string[]>(store.list(path), []);

  const read: Backend['read'] = async (key, nodes = backendNodes, before) => {
    const values = await store.readAll(nodes.map((node) => `${root}/${key}/${node}`));
    const found = { ...before?.nodes };
    for (const [index, node] of nodes.entries()) {
      const value = values[index];
      if (value === undefined) delete found[node];
      else found[node] = value;
    }
    if (Object.keys(found).length === 0) return undefined;
    const isClaimDue = found.state === String(xenbus.connected) || !found.ip?.trim();
    const frontendIp =
      nodes.includes('state') && isClaimDue
        ? (await store.readAll([`${frontendOf(key)}/ip`]))[0]
        : before?.frontendIp;
    return { ...idsOf(key), nodes: found, frontendIp };
  };

  /** The vifs whose state node is unchanged. It changes whenever dom0 or netback closes or replaces a vif. */
  const unchangedOf = async (vifs: readonly BackendVif[], tx: Transaction) => {
    const states = await store.readAll(
      vifs.map(({ key }) => `${root}/${key}/state`),
      tx,
    );
    return vifs.filter(({ state }, index) => states[index] === String(state));
  };

  const writeConnected = async ({ key, hotplugError }: BackendVif, tx: Transaction) => {
    const writing = [store.write(`${root}/${key}/hotplug-status`, 'connected', tx)];
    if (hotplugError !== '') writing.push(store.remove(`${root}/${key}/hotplug-error`, tx));
    await Promise.all(writing);
  };

  /**
   * Marks the vifs in one transaction.
   * @throws Replaced on a conflict: another program changed a node that the transaction had read
   */
  const markTogether = (vifs: readonly BackendVif[]): Promise<VifKey[]> => {
    let attempted = false;
    return store.transaction(async (tx) => {
      if (attempted) throw new Replaced();
      attempted = true;
      const markable = await unchangedOf(vifs, tx);
      await Promise.all(markable.map((vif) => writeConnected(vif, tx)));
      return markable.map(({ key }) => key);
    });
  };

  const ifReplaced = async <T>(marking: Promise<T>, fallback: () => Promise<T>): Promise<T> => {
    try {
      return await marking;
    } catch (error) {
      if (error instanceof Replaced || isGone(error)) return await fallback();
      throw error;
    }
  };

  const markSome = (vifs: readonly BackendVif[]): Promise<readonly VifKey[]> => {
    const none = async (): Promise<VifKey[]> => [];
    const oneByOne = async (): Promise<VifKey[]> => {
      if (vifs.length === 1) return [];
      const marked = await Promise.all(vifs.map((vif) => ifReplaced(markTogether([vif]), none)));
      return marked.flat();
    };
    return ifReplaced(markTogether(vifs), oneByOne);
  };

  const markConnected = async (vifs: readonly BackendVif[]): Promise<ReadonlySet<VifKey>> => {
    const starts = Array.from(vifs.keys()).filter((index) => index % mostPerTransaction === 0);
    const marked = starts.map((start) => markSome(vifs.slice(start, start + mostPerTransaction)));
    return new Set((await Promise.all(marked)).flat());
  };

  const markError = async (key: VifKey, text: string): Promise<boolean> => {
    const path = `${root}/${key}`;
    const write = store.transaction(async (tx) => {
      await store.read(`${path}/state`, tx);
      await store.write(`${path}/hotplug-error`, text, tx);
      await store.write(`${path}/hotplug-status`, 'error', tx);
    });
    // With a full quota, xenstore has no room for the error; status still shows it.
    return await ifRefused(ifGone(write, undefined));
  };

  const remove = async (key: VifKey): Promise<void> => {
    const path = `${root}/${key}`;
    const removal = store.transaction(async (tx) => {
      const [state, online] = await store.readAll([`${path}/state`, `${path}/online`], tx);
      if (state === String(xenbus.closed) && online !== '1') await store.remove(path, tx);
    });
    await ifGone(removal, undefined);
  };

  const names = async (): Promise<ReadonlyMap<number, string>> => {
    const listed = await list(domainMap);
    const domids = await store.readAll(listed.map((name) => `${domainMap}/${name}`));
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
    hintMtu: (key, mtu) => ifRefused(store.write(`${frontendOf(key)}/mtu`, String(mtu))),
    remove,
  };
};
