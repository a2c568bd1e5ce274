/** Reads this VM's own facts from xenstore, as far as this VM may read them. */
import type { Domid } from '../../address/domid.ts';
import { isDomainMapName } from '../../ipc/config/vm-name.ts';
import { openBackend } from '../../network/store/backend.ts';
import { vifIdsOf } from '../../network/store/vif-paths.ts';
import { domainMap } from '../../xen/domain-map.ts';
import { ifMissing } from '../../xen/refusal.ts';
import { type Permission, type Xenstore, XenstoreError } from '../../xen/xenstore.ts';
import type { MapFacts } from './map-findings.ts';
import { type OwnNode, rendezvousParents, rendezvousPlaces } from './rendezvous-findings.ts';
import type { VifAuditFacts } from './vif-findings.ts';

/** Reads the vifs of this VM, and the domids of the vifs that it is the backend of. */
export const readVifs = async (
  store: Xenstore,
  self: Domid,
): Promise<Omit<VifAuditFacts, 'isDaemonThere'>> => {
  const root = `/local/domain/${self}/device/vif`;
  const devids = await ifMissing(store.list(root), []);
  const vifs = devids.map(async (devid) => {
    const paths = ['backend', 'backend-id'].map((node) => `${root}/${devid}/${node}`);
    const [backend, backendId] = await store.readAll(paths);
    return { devid, backend, backendId };
  });
  const keys = await openBackend(store, self).keys();
  return {
    vifs: await Promise.all(vifs),
    served: keys.map((key) => vifIdsOf(key).domid),
  };
};

/** Reads a node's permissions; undefined if the node has just vanished. */
const readNode = async (
  store: Xenstore,
  own: string,
  path: string,
): Promise<OwnNode | undefined> => {
  try {
    return { path, permissions: await store.getPermissions(`${own}/${path}`) };
  } catch (error) {
    const code = error instanceof XenstoreError ? error.code : undefined;
    if (code === 'EACCES') return { path, permissions: undefined };
    if (code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Reads all nodes below `path`. */
const walk = async (store: Xenstore, own: string, path: string): Promise<readonly OwnNode[]> => {
  const names = await ifMissing(store.list(`${own}/${path}`), []);
  const found = names.map(async (name) => {
    const node = await readNode(store, own, `${path}/${name}`);
    return node === undefined ? [] : [node, ...(await walk(store, own, node.path))];
  });
  return (await Promise.all(found)).flat();
};

/** Reads this VM's own rendezvous nodes and their parents. */
export const readOwnNodes = async (store: Xenstore, self: Domid): Promise<readonly OwnNode[]> => {
  const own = `/local/domain/${self}`;
  const parents = await Promise.all(rendezvousParents.map((path) => readNode(store, own, path)));
  const below = await Promise.all(rendezvousPlaces.map((path) => walk(store, own, path)));
  return [...parents.filter((node) => node?.permissions !== undefined), ...below.flat()].filter(
    (node) => node !== undefined,
  );
};

/** Reads this VM's name, and the domain map with its permissions. */
export const readMap = async (store: Xenstore, self: Domid): Promise<MapFacts> => {
  const [name] = await store.readAll([`/local/domain/${self}/name`]);
  const listed = await ifMissing(store.list(domainMap), []);
  // An invalid name cannot be a node of the map.
  const own = name !== undefined && isDomainMapName(name) ? [name] : [];
  const names = [...new Set([...listed, ...own])];
  const paths = names.map((entry) => `${domainMap}/${entry}`);
  const values = await store.readAll(paths);
  const entries = names.flatMap((entry, at): [string, string][] => {
    const value = values[at];
    return value === undefined ? [] : [[entry, value]];
  });
  const seen = [domainMap.slice(0, domainMap.lastIndexOf('/')), domainMap, ...paths];
  const permissions = seen.map(async (path): Promise<[string, readonly Permission[]][]> => {
    const given = await ifMissing(store.getPermissions(path), undefined);
    return given === undefined ? [] : [[path, given]];
  });
  return {
    name,
    entries: new Map(entries),
    permissions: new Map((await Promise.all(permissions)).flat()),
  };
};
