/**
 * The kernels of net-vm and the guests: netback, a netfront per guest, and the configuration of new vifs in
 * guests.
 */
import { Subject } from 'rxjs';
import type { Xenstore } from '../../../src/xen/xenstore.ts';
import type { IpBatch } from './ip-batch.ts';
import { type NetbackEvent, startNetback } from './netback.ts';
import { type Netfront, startNetfront } from './netfront.ts';
import { readNode } from './node-state.ts';
import type { Rig } from './rig.ts';
import { configureGuest, ipBatch, namespaceOf } from './topology.ts';
import { noNetdevs, vethNetdevs } from './veth-netdevs.ts';

/** An event of netback, or `configured`: the guest has set up its end of the vif. */
export type ActorEvent = Omit<NetbackEvent, 'what'> & {
  readonly what: NetbackEvent['what'] | 'configured';
};

export type ActorOptions = {
  readonly netVm: number;
  /** Milliseconds between state 2 and the netdev, or 'never' for no netdev. */
  readonly netdev: number | 'never';
  /** Whether guests leave their vifs unconfigured. */
  readonly idleGuests: boolean;
};

export type Actors = {
  readonly events: Subject<ActorEvent>;
  /** Prepares new vifs, but keeps them in state 1 until `release`. */
  deferVifs(): Promise<void>;
  /** Moves all prepared vifs to state 2 at once. */
  release(): Promise<void>;
  /** Starts the guest's netfront. */
  boot(guest: number): Promise<void>;
  /** Stops the guest's netfront without any clean-up. */
  pause(guest: number): Promise<void>;
  stop(): Promise<void>;
};

type Guest = { readonly store: Xenstore; readonly netfront: Netfront };

/**
 * An `ip` in a guest caches the index of each link that it names, so it may configure each devid only once.
 */
type GuestIp = { readonly batch: IpBatch; readonly named: Set<number> };

/**
 * The guests' netfronts, and a running `ip` for each guest, so that a new vif does not wait for a process
 * start.
 */
const makeGuests = (rig: Rig) => {
  const kernels = new Map<number, Guest>();
  const ips = new Map<number, GuestIp>();
  const pause = async (guest: number): Promise<void> => {
    kernels.get(guest)?.netfront.stop();
    kernels.get(guest)?.store.close();
    kernels.delete(guest);
    const ip = ips.get(guest);
    ips.delete(guest);
    await ip?.batch.close();
  };
  const ipFor = (guest: number, devid: number): IpBatch => {
    const known = ips.get(guest);
    const usable = known?.named.has(devid) ? undefined : known;
    const ip = usable ?? { batch: ipBatch(rig, namespaceOf(guest)), named: new Set() };
    if (!usable) void known?.batch.close();
    ip.named.add(devid);
    ips.set(guest, ip);
    return ip.batch;
  };
  return {
    boot: async (guest: number): Promise<void> => {
      const store = rig.open(guest);
      kernels.set(guest, { store, netfront: await startNetfront(store) });
    },
    ipFor,
    pause,
    pauseAll: async (): Promise<void> => {
      for (const guest of [...kernels.keys(), ...ips.keys()]) await pause(guest);
    },
  };
};

/** Starts netback; net-vm's domain must exist. */
export const startActors = async (rig: Rig, options: ActorOptions): Promise<Actors> => {
  const { netVm, netdev, idleGuests } = options;
  const events = new Subject<ActorEvent>();
  const store = rig.open(netVm);
  const guests = makeGuests(rig);
  const configure = async (guest: number, devid: number): Promise<void> => {
    const ip = await readNode(store, `/local/domain/${netVm}/backend/vif/${guest}/${devid}/ip`);
    await configureGuest(guests.ipFor(guest, devid), devid, ip?.split(' ') ?? []);
    const at = performance.timeOrigin + performance.now();
    events.next({ what: 'configured', guest, devid, at });
  };
  // The configuration fails if the vif goes away meanwhile. A scenario that needs the vif fails by itself
  // then.
  const added = (guest: number, devid: number): void => {
    if (!idleGuests) configure(guest, devid).catch(() => undefined);
  };
  const never = netdev === 'never';
  const netdevs = never ? noNetdevs : vethNetdevs(rig, namespaceOf(netVm), added);
  const netback = await startNetback(store, { netdevs, netdevDelay: never ? 0 : netdev });
  netback.events.subscribe(events);
  return {
    events,
    deferVifs: async () => netback.deferVifs(),
    release: async () => netback.release(),
    boot: guests.boot,
    pause: guests.pause,
    stop: async () => {
      await guests.pauseAll();
      netback.stop();
      store.close();
      await netdevs.close();
    },
  };
};
