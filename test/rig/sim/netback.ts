/**
 * Simulates Linux 6.1's xen-netback as xenstore and the driver domain see it: state 2 comes before the
 * netdev, state 6 before its removal, and state 4 is published only after hotplug-status `connected`. Like
 * the kernel's single xenwatch thread, one queue does everything except the creation and removal of netdevs.
 */
import { Subject } from 'rxjs';
import type { Xenstore } from '../../../src/xen/xenstore.ts';
import {
  announce,
  type Device,
  deviceKey,
  frontendChanged,
  hotplugStatusChanged,
  probe,
  unregister,
} from './netback-device.ts';
import { listNode, readNode } from './node-state.ts';
import { createWorkQueue } from './work-queue.ts';

export type NetbackEvent = {
  readonly what:
    | 'prepared'
    | 'init-wait'
    | 'netdev'
    | 'hotplug-connected'
    | 'connected'
    | 'closed'
    | 'unregistered'
    | 'failed';
  readonly guest: number;
  readonly devid: number;
  /** Milliseconds since the epoch, with fractions: comparable between processes. */
  readonly at: number;
};

export type VifIdentity = { readonly guest: number; readonly devid: number; readonly mac: string };

/** Makes and removes the netdevs `vifD.I`. */
export type Netdevs = {
  /** Resolves with false if it makes no netdevs. */
  add(vifs: readonly VifIdentity[]): Promise<boolean>;
  remove(guest: number, devid: number): Promise<void>;
};

export type NetbackOptions = {
  readonly netdevs: Netdevs;
  /** Milliseconds between state 2 and the netdev. */
  readonly netdevDelay?: number;
};

export type Netback = {
  readonly events: Subject<NetbackEvent>;
  /** Prepares new devices from now on, but keeps them in state 1. */
  deferVifs(): void;
  /** Prepares all queued devices, then moves all prepared devices to state 2 at once. */
  release(): void;
  /** Ends netback without any clean-up, as if its domain were gone. */
  stop(): void;
};

/** The shared state of netback's parts. */
export type Context = NetbackOptions & {
  readonly store: Xenstore;
  readonly root: string;
  readonly devices: Map<string, Device>;
  tell(what: NetbackEvent['what'], device: Device): void;
  /** Queues another look at a device. */
  lookAgain(key: string): void;
  isDeferring(): boolean;
  endDeferral(): void;
  /** Waits for work outside the queue; ignores its error if netback has been stopped. */
  inBackground<T>(work: Promise<T>): Promise<T | undefined>;
};

// Queue keys that no device has: look at all devices, and announce the prepared devices.
const allDevices = '';
const preparedDevices = 'prepared';

/** The key of the device that a watch event concerns; undefined if netback ignores the event. */
const keyOf = (root: string, path: string): string | undefined => {
  const [guest, devid, leaf] = path.startsWith(`${root}/`)
    ? path.slice(root.length + 1).split('/')
    : [];
  if (guest === undefined || devid === undefined) return allDevices;
  return leaf?.startsWith('feature-') ? undefined : deviceKey(Number(guest), Number(devid));
};

/** The frontend's path if netback should probe the device: its state is 1 and its frontend exists. */
const frontendOfNew = async ({ store }: Context, path: string): Promise<string | undefined> => {
  const [state, frontend] = await Promise.all([
    readNode(store, `${path}/state`),
    readNode(store, `${path}/frontend`),
  ]);
  if (state !== '1' || frontend === undefined) return undefined;
  return (await readNode(store, frontend)) === undefined ? undefined : frontend;
};

const look = async (context: Context, key: string): Promise<void> => {
  const device = context.devices.get(key);
  if (device?.leaving) return;
  if (!device) {
    const frontend = await frontendOfNew(context, `${context.root}/${key}`);
    if (frontend !== undefined) await probe(context, key, frontend);
    return;
  }
  // One batch of reads, because netback must take little processor time from the daemon under test.
  const [directory, frontendState] = await context.store.readAll([
    device.path,
    `${device.frontend}/state`,
  ]);
  if (directory === undefined) {
    await unregister(context, device);
  } else if (device.state !== 1) {
    await hotplugStatusChanged(context, device);
    await frontendChanged(context, device, frontendState ?? '0');
  }
};

const lookAtAll = async (context: Context): Promise<void> => {
  const { store, root, devices } = context;
  const keys = new Set(devices.keys());
  for (const guest of await listNode(store, root)) {
    for (const devid of await listNode(store, `${root}/${guest}`)) keys.add(`${guest}/${devid}`);
  }
  for (const key of keys) await look(context, key);
};

const announceAll = async (context: Context): Promise<void> => {
  context.endDeferral();
  await announce(
    context,
    [...context.devices.values()].filter(({ state }) => state === 1),
  );
};

const seeTo = (context: Context, key: string): Promise<void> => {
  if (key === preparedDevices) return announceAll(context);
  return key === allDevices ? lookAtAll(context) : look(context, key);
};

/** Makes a context and its work queue. */
const makeContext = (store: Xenstore, root: string, options: NetbackOptions) => {
  const events = new Subject<NetbackEvent>();
  const status = { isDeferring: false, stopped: false };
  const queue = createWorkQueue((key) => seeTo(context, key));
  const context: Context = {
    ...options,
    store,
    root,
    devices: new Map(),
    tell: (what, { guest, devid }) =>
      events.next({ what, guest, devid, at: performance.timeOrigin + performance.now() }),
    lookAgain: queue.add,
    isDeferring: () => status.isDeferring,
    endDeferral: () => {
      status.isDeferring = false;
    },
    inBackground: async (work) => {
      try {
        return await work;
      } catch (error) {
        if (!status.stopped) throw error;
      }
    },
  };
  return { context, queue, events, status };
};

/** Starts netback in the domain of this xenstore connection; the caller closes the connection. */
export const startNetback = async (store: Xenstore, options: NetbackOptions): Promise<Netback> => {
  const backend = `/local/domain/${await store.read('domid')}/backend`;
  const { context, queue, events, status } = makeContext(store, `${backend}/vif`, options);
  const watch = store.watch(backend).subscribe((path) => {
    const key = keyOf(context.root, path);
    if (key !== undefined) queue.add(key);
  });
  return {
    events,
    deferVifs: () => {
      status.isDeferring = true;
    },
    release: () => queue.add(preparedDevices),
    stop: () => {
      status.stopped = true;
      queue.stop();
      watch.unsubscribe();
      for (const device of context.devices.values()) device.frontendWatch.unsubscribe();
    },
  };
};
