/** Simulates the guest's xen-netfront in xenstore: all vifs of its domain follow their backends' states. */
import type { Subscription } from 'rxjs';
import type { Xenstore } from '../../../src/xen/xenstore.ts';
import { listNode, orMissing, readNode } from './node-state.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

export type Netfront = {
  /** Stops without any clean-up, as if the guest were paused or gone. */
  stop(): void;
};

type Frontend = { readonly backend: string; readonly watch: Subscription };

// A queue key that no device has: look at all devices.
const allDevices = '';

const rings = {
  'tx-ring-ref': '9',
  'rx-ring-ref': '10',
  'event-channel': '7',
  'request-rx-copy': '1',
  state: '4',
};

const connect = (store: Xenstore, path: string): Promise<void> =>
  store.transaction(async (tx) => {
    const nodes = Object.entries(rings);
    await Promise.all(nodes.map(([node, value]) => store.write(`${path}/${node}`, value, tx)));
  });

type Guest = {
  readonly store: Xenstore;
  readonly root: string;
  readonly frontends: Map<string, Frontend>;
  readonly queue: WorkQueue;
};

/** Brings the frontend to the state that the backend's state demands. */
const follow = async (guest: Guest, devid: string, frontend: Frontend): Promise<void> => {
  const { store, root, frontends } = guest;
  const path = `${root}/${devid}`;
  if ((await readNode(store, path)) === undefined) {
    frontend.watch.unsubscribe();
    frontends.delete(devid);
    return;
  }
  const theirs = await readNode(store, `${frontend.backend}/state`);
  const ours = await readNode(store, `${path}/state`);
  if (theirs === '2' && ours === '1') await orMissing(connect(store, path));
  if (theirs === '5' && ours !== '6') await orMissing(store.write(`${path}/state`, '6'));
};

const look = async (guest: Guest, devid: string): Promise<void> => {
  const { store, root, frontends, queue } = guest;
  const backend = await readNode(store, `${root}/${devid}/backend`);
  if (backend !== undefined && !frontends.has(devid)) {
    const watch = store.watch(`${backend}/state`).subscribe(() => queue.add(devid));
    frontends.set(devid, { backend, watch });
  }
  const frontend = frontends.get(devid);
  if (frontend) await follow(guest, devid, frontend);
};

const lookAtAll = async (guest: Guest): Promise<void> => {
  const listed = await listNode(guest.store, guest.root);
  for (const devid of new Set([...guest.frontends.keys(), ...listed])) await look(guest, devid);
};

/** Starts netfront in the domain of this xenstore connection; the caller closes the connection. */
export const startNetfront = async (store: Xenstore): Promise<Netfront> => {
  const root = `/local/domain/${await store.read('domid')}/device/vif`;
  const queue = createWorkQueue((devid) =>
    devid === allDevices ? lookAtAll(guest) : look(guest, devid),
  );
  const guest: Guest = { store, root, frontends: new Map(), queue };
  const watch = store.watch(root).subscribe((path) => {
    const [devid = allDevices] = path.slice(root.length + 1).split('/');
    queue.add(devid);
  });
  return {
    stop: () => {
      queue.stop();
      watch.unsubscribe();
      for (const frontend of guest.frontends.values()) frontend.watch.unsubscribe();
    },
  };
};
