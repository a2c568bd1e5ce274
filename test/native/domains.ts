/** A simulated host without vifs for the tests of the addon: dom0, net-vm and a guest. */
import { onTestFinished } from 'vitest';
import type { Xenstore } from '../../src/xen/xenstore.ts';
import { makeDomainTree } from '../rig/sim/domain-tree.ts';
import { type Sim, type StoreKind, startSim } from '../rig/sim/sim.ts';

/** net-vm's domid. */
export const netVm = 2;
/** The guest's domid. */
export const guest = 3;
/** The xenstore node below which net-vm can write. */
export const own = `/local/domain/${netVm}/data`;

/** The implementations of xenstored that the tests run with. */
export const stores = ['xenstored', 'oxenstored'] as const satisfies readonly StoreKind[];

export type Domains = Pick<Sim, 'env' | 'xenstored'> & {
  /** Opens a connection as the domain; the end of the test closes it. */
  open(domid: number): Xenstore;
};

/** Starts a host that ends with the test. */
export const startDomains = async (store: StoreKind): Promise<Domains> => {
  const sim = await startSim({ store });
  onTestFinished(() => sim.close());
  const dom0 = sim.open(0);
  await sim.hypervisor('create', [netVm, guest]);
  await makeDomainTree(dom0, { domid: netVm, name: 'net-vm' });
  await makeDomainTree(dom0, { domid: guest, name: 'guest' });
  dom0.close();
  const open = (domid: number): Xenstore => {
    const connection = sim.open(domid);
    onTestFinished(() => connection.close());
    return connection;
  };
  return { env: sim.env, xenstored: sim.xenstored, open };
};
