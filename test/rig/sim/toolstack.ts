/** dom0's part in a vif's life: libxl's transactions and waits for a device in a driver domain. */
import type { Permission, Transaction, Xenstore } from '../../../src/xen/xenstore.ts';
import { ownedBy } from './domain-tree.ts';
import { listNode, nodeBecomes, readNode, removeNode } from './node-state.ts';

/** libxl's LIBXL_INIT_TIMEOUT and LIBXL_DESTROY_TIMEOUT, in seconds. */
const timeoutS = 10;

export type VifPlace = { readonly guest: number; readonly backend: number; readonly devid: number };

const frontendPath = ({ guest, devid }: VifPlace): string =>
  `/local/domain/${guest}/device/vif/${devid}`;
const backendPath = ({ guest, backend, devid }: VifPlace): string =>
  `/local/domain/${backend}/backend/vif/${guest}/${devid}`;
const libxlPath = ({ guest, devid }: VifPlace): string => `/libxl/${guest}/device/vif/${devid}`;

/** Nodes of the backend directory that add to the usual ones or replace them; undefined omits a node. */
export type VifNodes = Readonly<Record<string, string | undefined>>;

const backendNodes = ({ guest, devid }: VifPlace, nodes: VifNodes): [string, string][] => {
  const usual: VifNodes = {
    'frontend-id': `${guest}`,
    online: '1',
    state: '1',
    script: '/etc/xen/scripts/vif-route',
    bridge: 'xenbr0',
    handle: `${devid}`,
    type: 'vif',
    'hotplug-status': '',
  };
  return Object.entries({ ...usual, ...nodes }).filter(
    (node): node is [string, string] => node[1] !== undefined,
  );
};

const writeFrontend = async (dom0: Xenstore, place: VifPlace, nodes: VifNodes, tx: Transaction) => {
  const { guest, backend, devid } = place;
  const { mac = '', mtu = '1500' } = nodes;
  const path = frontendPath(place);
  const make = (node: string, value: string, permissions: readonly Permission[]) => [
    dom0.write(`${path}${node}`, value, tx),
    dom0.setPermissions(`${path}${node}`, permissions, tx),
  ];
  const frontend = {
    backend: backendPath(place),
    'backend-id': `${backend}`,
    state: '1',
    handle: `${devid}`,
    mac,
    trusted: '1',
  };
  await Promise.all([
    removeNode(dom0, path, tx),
    ...make('', '', ownedBy(guest, backend)),
    ...Object.entries(frontend).flatMap(([node, value]) =>
      make(`/${node}`, value, ownedBy(guest, backend)),
    ),
    ...make('/mtu', mtu, ownedBy(backend, guest)),
  ]);
};

/** Writes the nodes of a new vif in one transaction, as libxl does. */
export const writeVif = (dom0: Xenstore, place: VifPlace, nodes: VifNodes): Promise<void> =>
  dom0.transaction(async (tx) => {
    const backend = backendPath(place);
    const libxl = libxlPath(place);
    // A connection sends its requests in the order of the calls, so no call has to wait for the previous one.
    await Promise.all([
      removeNode(dom0, libxl, tx),
      dom0.write(`${libxl}/frontend`, frontendPath(place), tx),
      dom0.write(`${libxl}/backend`, backend, tx),
      writeFrontend(dom0, place, nodes, tx),
      removeNode(dom0, backend, tx),
      dom0.write(backend, '', tx),
      dom0.setPermissions(backend, ownedBy(place.backend, place.guest), tx),
      dom0.write(`${backend}/frontend`, frontendPath(place), tx),
      ...backendNodes(place, nodes).flatMap(([node, value]) => [
        dom0.write(`${backend}/${node}`, value, tx),
        dom0.write(`${libxl}/${node}`, value, tx),
      ]),
    ]);
  });

/**
 * `xl network-attach`: writes the vif and waits until netback has probed it. Resolves with libxl's error
 * messages.
 */
export const addVif = async (
  dom0: Xenstore,
  place: VifPlace,
  nodes: VifNodes,
): Promise<string[]> => {
  await writeVif(dom0, place, nodes);
  const taken = await nodeBecomes(
    dom0,
    `${backendPath(place)}/state`,
    (state) => state === '2',
    timeoutS,
  );
  return taken ? [] : [`unable to add device with path ${backendPath(place)}`];
};

/** libxl__xs_path_cleanup: removes the path and then every parent that became empty. */
const removeAndPrune = async (dom0: Xenstore, path: string, tx: Transaction): Promise<void> => {
  await removeNode(dom0, path, tx);
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const parent = path.slice(0, end);
    if ((await readNode(dom0, parent, tx)) !== '') return;
    if ((await listNode(dom0, parent, tx)).length > 0) return;
    await dom0.remove(parent, tx);
  }
};

const askForClosing = (dom0: Xenstore, place: VifPlace, force: boolean): Promise<void> =>
  dom0.transaction(async (tx) => {
    const backend = backendPath(place);
    if (force) await removeAndPrune(dom0, frontendPath(place), tx);
    const state = await readNode(dom0, `${backend}/state`, tx);
    if (state === undefined) return;
    await dom0.write(`${backend}/online`, '0', tx);
    if (state !== '6') await dom0.write(`${backend}/state`, '5', tx);
  });

/**
 * Without force this is `xl network-detach`: it forces in its second attempt, and leaves all nodes if the
 * backend is never removed. With force it is `xl destroy` for one device. Resolves with libxl's error
 * messages.
 */
export const removeVif = async (
  dom0: Xenstore,
  place: VifPlace,
  force = false,
): Promise<string[]> => {
  const backend = backendPath(place);
  const isClosed = (state: string | undefined): boolean => state === '6' || state === undefined;

  await askForClosing(dom0, place, force);
  const closed = await nodeBecomes(dom0, `${backend}/state`, isClosed, timeoutS);
  if (!closed && !force) return removeVif(dom0, place, true);
  const gone = await nodeBecomes(dom0, backend, (value) => value === undefined, timeoutS);
  const complaints = gone ? [] : [`timed out while waiting for ${backend} to be removed`];
  if (!gone && !force) return complaints;
  await dom0.transaction(async (tx) => {
    for (const path of [frontendPath(place), libxlPath(place), backend]) {
      await removeAndPrune(dom0, path, tx);
    }
  });
  return complaints;
};

/** The guest's vifs in libxl's own nodes. */
export const vifsOf = async (dom0: Xenstore, guest: number): Promise<VifPlace[]> => {
  const devids = await listNode(dom0, `/libxl/${guest}/device/vif`);
  const places = devids.map(async (devid) => {
    const backend = await readNode(dom0, `/libxl/${guest}/device/vif/${devid}/backend`);
    return { guest, backend: Number(backend?.split('/')[3]), devid: Number(devid) };
  });
  return Promise.all(places);
};
