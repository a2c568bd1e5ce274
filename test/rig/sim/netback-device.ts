/** One vif in netback: its probe, changes of the frontend's state and of hotplug-status, and its removal. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Subscription } from 'rxjs';
import { type Transaction, type Xenstore, XenstoreError } from '../../../src/xen/xenstore.ts';
import type { Context } from './netback.ts';
import { writeFeatures } from './netback-features.ts';
import { readNode, removeNode } from './node-state.ts';

/** The values of enum xenbus_state that netback uses. */
type State = 1 | 2 | 4 | 5 | 6;

export type Device = {
  readonly guest: number;
  readonly devid: number;
  readonly path: string;
  readonly frontend: string;
  readonly frontendWatch: Subscription;
  readonly mac: string;
  state: State;
  /** The state that waits for hotplug-status `connected` before it is published. */
  publishes: State | undefined;
  frontendState: string;
  /** Resolves with true when the netdev exists; with false or undefined if it will not exist. */
  netdev: Promise<boolean | undefined>;
  /** Whether its netdev is being unregistered. */
  leaving: boolean;
};

export const deviceKey = (guest: number, devid: number): string => `${guest}/${devid}`;

/** __xenbus_switch_state: writes the state unless the directory has been removed. */
const writeState = async (
  store: Xenstore,
  path: string,
  state: State,
  tx: Transaction,
): Promise<void> => {
  if ((await readNode(store, `${path}/state`, tx)) === undefined) return;
  await store.write(`${path}/state`, `${state}`, tx);
};

const become = async (context: Context, device: Device, state: State): Promise<void> => {
  device.state = state;
  if (device.publishes !== undefined) {
    device.publishes = state;
    return;
  }
  const { store } = context;
  await store.transaction((tx) => writeState(store, device.path, state, tx));
  if (state === 2) context.tell('init-wait', device);
  if (state === 4) context.tell('connected', device);
  if (state === 6) context.tell('closed', device);
};

/** xenbus_dev_fatal: writes the error node and closes the device. */
const fail = async (context: Context, device: Device, error: unknown): Promise<void> => {
  const text = error instanceof Error ? error.message : String(error);
  const node = device.path.replace('/backend/', '/error/backend/');
  device.publishes = undefined;
  context.tell('failed', device);
  try {
    await context.store.write(`${node}/error`, text);
  } catch (quota) {
    if (!(quota instanceof XenstoreError)) throw quota;
  }
  await become(context, device, 5);
};

const registerNetdevs = async (context: Context, devices: readonly Device[]): Promise<boolean> => {
  try {
    if (context.netdevDelay) await delay(context.netdevDelay);
    if (!(await context.netdevs.add(devices))) return false;
    for (const device of devices) context.tell('netdev', device);
    return true;
  } catch (error) {
    for (const device of devices) await fail(context, device, error);
    return false;
  }
};

/**
 * Sets state 2 for all devices in one transaction, then makes their netdevs in the background, because that
 * takes longer here than in the kernel.
 */
export const announce = async (context: Context, devices: readonly Device[]): Promise<void> => {
  const { store } = context;
  try {
    await store.transaction((tx) =>
      Promise.all(devices.map((device) => writeState(store, device.path, 2, tx))),
    );
  } catch (error) {
    for (const device of devices) await fail(context, device, error);
    return;
  }
  for (const device of devices) {
    device.state = 2;
    context.tell('init-wait', device);
  }
  const netdevs = context.inBackground(registerNetdevs(context, devices));
  for (const device of devices) device.netdev = netdevs;
};

/** Probes a backend directory in state 1. */
export const probe = async (context: Context, key: string, frontend: string): Promise<void> => {
  const { store, root, devices } = context;
  const [guest = 0, devid = 0] = key.split('/').map(Number);
  const path = `${root}/${key}`;
  const device: Device = {
    guest,
    devid,
    path,
    frontend,
    frontendWatch: store.watch(`${frontend}/state`).subscribe(() => context.lookAgain(key)),
    mac: (await readNode(store, `${path}/mac`)) ?? '',
    state: 1,
    publishes: undefined,
    frontendState: '',
    netdev: Promise.resolve(false),
    leaving: false,
  };
  devices.set(key, device);
  try {
    await writeFeatures(store, path);
    await store.read(`${path}/script`); // without it the kernel's probe fails
  } catch (error) {
    await fail(context, device, error);
    return;
  }
  context.tell('prepared', device);
  if (!context.isDeferring()) await announce(context, [device]);
};

const isMac = (text: string | undefined): boolean =>
  /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text ?? '');

/**
 * Connects the device: packets pass if the link is up. State 4 is published when hotplug-status is
 * `connected`.
 */
const connect = async (context: Context, device: Device): Promise<void> => {
  if (!isMac(device.mac)) {
    await fail(context, device, `parsing ${device.path}/mac`);
    return;
  }
  device.publishes = device.state;
  await become(context, device, 4);
  await hotplugStatusChanged(context, device);
};

/** Publishes the waiting state if hotplug-status is `connected`. */
export const hotplugStatusChanged = async (context: Context, device: Device): Promise<void> => {
  const state = device.publishes;
  if (state === undefined) return;
  if ((await readNode(context.store, `${device.path}/hotplug-status`)) !== 'connected') return;
  context.tell('hotplug-connected', device);
  device.publishes = undefined;
  await become(context, device, state);
};

const close = async (context: Context, device: Device): Promise<void> => {
  if (device.state === 2 || device.state === 4) await become(context, device, 5);
  if (device.state !== 6) await become(context, device, 6);
};

/** Handles a change of the frontend's state. '0' means that the frontend's state node is missing. */
export const frontendChanged = async (
  context: Context,
  device: Device,
  state: string,
): Promise<void> => {
  if (device.leaving) return;
  if (state === device.frontendState) return;
  device.frontendState = state;
  if (state === '4' && device.state === 2) await connect(context, device);
  if (state === '1' && device.state !== 2) {
    await close(context, device);
    await become(context, device, 2);
  }
  if (state === '5' && (device.state === 2 || device.state === 4)) await become(context, device, 5);
  if (state === '6' || state === '0') {
    await close(context, device);
    const online = await readNode(context.store, `${device.path}/online`);
    if (state === '0' || online !== '1') await unregister(context, device);
  }
};

/**
 * Removes the netdev; then, as in xenbus_dev_remove, changes a state Closing from the toolstack to Closed.
 */
const unregisterNetdev = async (context: Context, device: Device): Promise<void> => {
  const { store, devices, netdevs } = context;
  const key = deviceKey(device.guest, device.devid);
  if (await device.netdev) await netdevs.remove(device.guest, device.devid);
  if ((await readNode(store, `${device.path}/state`)) === '5') await become(context, device, 6);
  devices.delete(key);
  context.tell('unregistered', device);
  context.lookAgain(key);
};

/** device_unregister: removes hotplug-status at once, and the netdev in the background. */
export const unregister = async (context: Context, device: Device): Promise<void> => {
  device.leaving = true;
  device.publishes = undefined;
  device.frontendWatch.unsubscribe();
  await removeNode(context.store, `${device.path}/hotplug-status`);
  void context.inBackground(unregisterNetdev(context, device));
};
