/**
 * The fast rig as a Host: a real xenstored on a simulated hypervisor, with net-vm and guests in network
 * namespaces.
 */
import type { Xenstore } from '../../../src/xen/xenstore.ts';
import { slowness } from '../../support/slowness.ts';
import type { Host } from '../host.ts';
import { startActorProcess } from './actor-process.ts';
import { type Actors, startActors } from './actors.ts';
import { type Daemon, makeDaemon } from './daemon.ts';
import { makeDom0Tree, makeDomainTree } from './domain-tree.ts';
import { readNode } from './node-state.ts';
import { sendFrom } from './send.ts';
import { type Sim, type SimOptions, startSim } from './sim.ts';
import { makeNetwork, namespaceOf } from './topology.ts';
import { attach, create, type Dom0, destroy, detach, guestOf } from './xl.ts';

const netVm = 2;

export type SimHostOptions = SimOptions & {
  /** Milliseconds between state 2 and the netdev, or 'never' for no netdev. */
  readonly netdev?: number | 'never';
  /** Whether netback and netfronts run in a separate process, for measurements; it takes 0.5 s to start. */
  readonly actorProcess?: boolean;
  /** Whether guests leave their vifs unconfigured, so they take no processor time from the daemon. */
  readonly idleGuests?: boolean;
  /** The text of vifwatch.toml. */
  readonly config?: string;
};

export type SimHost = Host & {
  readonly sim: Sim;
  /** dom0's connection to xenstored. */
  readonly dom0: Xenstore;
  readonly actors: Actors;
  readonly daemon: Daemon;
};

/** Makes dom0, net-vm and the world, before any guest. */
const makeNetVm = async (sim: Sim, store: Xenstore): Promise<void> => {
  await makeDom0Tree(store);
  await Promise.all([makeNetwork(sim, namespaceOf(netVm)), sim.hypervisor('create', [netVm])]);
  await makeDomainTree(store, { domid: netVm, name: 'net-vm', driverDomain: true });
};

const asHost = (sim: Sim, dom0: Dom0, daemon: Daemon): Host => ({
  netVm,
  create: (vm) => create(dom0, vm),
  destroy: (name) => destroy(dom0, name),
  attach: (name, vif) => attach(dom0, name, vif),
  detach: (name, devid) => detach(dom0, name, devid),
  inVm: (name, argv) => guestOf(dom0, name).run(argv),
  sendFrames: (name, frames) => sendFrom(sim, namespaceOf(guestOf(dom0, name).domid), frames),
  inNetVm: ([program = '', ...args]) =>
    program === 'vifwatch'
      ? daemon.run(args)
      : sim.run(sim.inNamespace(namespaceOf(netVm), [program, ...args]), { domid: netVm }),
  startDaemon: () => daemon.start(),
  signalDaemon: daemon.signal,
  read: (path) => readNode(dom0.store, path),
  slowness,
  close: async () => {
    try {
      await dom0.actors.stop();
    } finally {
      dom0.store.close();
      await sim.close();
    }
  },
});

const startIn = async (sim: Sim, options: SimHostOptions): Promise<SimHost> => {
  const { netdev = 0, idleGuests = false } = options;
  const store = sim.open(0);
  await makeNetVm(sim, store);
  const start = options.actorProcess ? startActorProcess : startActors;
  const actors = await start(sim, { netVm, netdev, idleGuests });
  const daemon = makeDaemon(sim, netVm, namespaceOf(netVm), options.config);
  const dom0: Dom0 = {
    rig: sim,
    store,
    actors,
    netVm,
    netdevsAppear: netdev === 0,
    guests: new Map(),
    lastDomid: netVm,
  };
  return { ...asHost(sim, dom0, daemon), sim, dom0: store, actors, daemon };
};

/** Starts xenstored, dom0, net-vm (without the daemon) and the world. */
export const startSimHost = async (options: SimHostOptions): Promise<SimHost> => {
  const sim = await startSim(options);
  try {
    return await startIn(sim, options);
  } catch (error) {
    await sim.close();
    throw error;
  }
};
