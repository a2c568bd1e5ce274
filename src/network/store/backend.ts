/** The vif part of net-vm's own backend tree in xenstore. */

import { filter, map, merge, type Observable } from 'rxjs';
import { type Domid, parseDomid } from '../../address/domid.ts';
import { domainMap } from '../../xen/domain-map.ts';
import { ifMissing, ifRefused } from '../../xen/refusal.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import {
  type BackendNode,
  type BackendRecord,
  type BackendVif,
  backendNodes,
  type VifKey,
  type VmNames,
  vifKey,
  xenbus,
} from '../vif/backend-vif.ts';
import { markConnected } from './mark-connected.ts';
import {
  backendRootOf,
  changeOf,
  frontendOf,
  isDevid,
  type StoreChange,
  vifIdsOf,
} from './vif-paths.ts';

type DomainNames = {
  readonly names: VmNames;
  /** Whether the map could be listed; else only the wanted names are there. */
  readonly isListed: boolean;
};

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
  /**
   * Reads the names that dom0 gives to domids in /ipc/domain-map.
   * @param wanted names to read even if xenstored does not list the map: it is unreadable or missing, or has so
   * many names that oxenstored cannot list them (E2BIG)
   */
  readonly names: (wanted: Iterable<string>) => Promise<DomainNames>;
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

/** True if the request succeeded, false if xenstored refused it. */
const isAccepted = (request: Promise<unknown>): Promise<boolean> =>
  ifRefused(
    request.then(() => true),
    false,
  );

const list = (store: Xenstore, path: string): Promise<readonly string[]> =>
  ifMissing(store.list(path), []);

/** Whether a node can have the name: xenstored refuses a path with other characters. */
const isNodeName = (name: string): boolean => /^[\w@:+.-]{1,255}$/.test(name);

const readNames = async (store: Xenstore, wanted: Iterable<string>): Promise<DomainNames> => {
  const listed = await ifRefused(store.list(domainMap), undefined);
  const asked = listed ?? [...new Set(wanted)].filter(isNodeName);
  const values = await store.readAll(asked.map((name) => `${domainMap}/${name}`));
  const entries = asked.map((name, index) => [parseDomid(values[index]), name] as const);
  const names = new Map(entries.flatMap(([id, name]) => (id === undefined ? [] : [[id, name]])));
  return { names, isListed: listed !== undefined };
};

const readKeys = async (store: Xenstore, root: string): Promise<readonly VifKey[]> => {
  const domids = (await list(store, root)).flatMap((name) => parseDomid(name) ?? []);
  const devids = await Promise.all(domids.map((id) => list(store, `${root}/${id}`)));
  return domids.flatMap((id, index) =>
    (devids[index] ?? []).filter(isDevid).map((devid) => vifKey(id, Number(devid))),
  );
};

const reader =
  (store: Xenstore, root: string): Backend['read'] =>
  async (key, nodes = backendNodes, before) => {
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
    return { ...vifIdsOf(key), nodes: found, frontendIp };
  };

/** @param domid net-vm's own domid */
export const openBackend = (store: Xenstore, domid: Domid): Backend => {
  const root = backendRootOf(domid);

  const markError = async (key: VifKey, text: string): Promise<boolean> => {
    const path = `${root}/${key}`;
    const write = store.transaction(async (tx) => {
      await store.read(`${path}/state`, tx);
      await store.write(`${path}/hotplug-error`, text, tx);
      await store.write(`${path}/hotplug-status`, 'error', tx);
    });
    // With a full quota, xenstore has no room for the error; status still shows it.
    return await isAccepted(ifMissing(write, undefined));
  };

  const remove = async (key: VifKey): Promise<void> => {
    const path = `${root}/${key}`;
    const removal = store.transaction(async (tx) => {
      const [state, online] = await store.readAll([`${path}/state`, `${path}/online`], tx);
      if (state === String(xenbus.closed) && online !== '1') await store.remove(path, tx);
    });
    await ifMissing(removal, undefined);
  };

  return {
    changes: merge(
      store.watch(root).pipe(map((path) => changeOf(root, path))),
      store.watch(domainMap).pipe(map((): StoreChange => 'names')),
    ).pipe(filter((change) => change !== undefined)),
    keys: () => readKeys(store, root),
    read: reader(store, root),
    names: (wanted) => readNames(store, wanted),
    markConnected: (vifs) => markConnected({ store, root }, vifs),
    markError,
    hintMtu: (key, mtu) => isAccepted(store.write(`${frontendOf(key)}/mtu`, String(mtu))),
    remove,
  };
};
