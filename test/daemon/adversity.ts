/** What may happen to a net-vm: dom0's acts, the guests', the daemon's deaths, and meddling with the kernel. */
import fc from 'fast-check';
import { XenstoreError } from '../../src/xen/xenstore.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { addVif, removeVif, type VifNodes, type VifPlace } from '../rig/sim/toolstack.ts';
import { backend, macOf, place } from './net-vm.ts';

/** A slot is one vif of one of the guests, attached or not. */
type Slot = { readonly vm: 'a' | 'b'; readonly devid: 0 | 1 };

export type Event =
  | { readonly does: 'attach' | 'replace'; readonly slot: Slot; readonly nodes: VifNodes }
  | { readonly does: 'detach' | 'close' | 'reopen'; readonly slot: Slot }
  | { readonly does: 'destroy'; readonly vm: Slot['vm'] }
  | { readonly does: 'write'; readonly slot: Slot; readonly node: string; readonly value: string }
  | { readonly does: 'meddle'; readonly slot: Slot; readonly command: string }
  | { readonly does: 'kill' | 'start' };

const slots = fc.record({
  vm: fc.constantFrom('a', 'b'),
  devid: fc.constantFrom(0, 1),
}) satisfies fc.Arbitrary<Slot>;

/** Few enough to conflict: the same, one within another, the gateway's, and such as nobody may have. */
const addresses = fc.constantFrom(
  ...['10.0.5.50', '10.0.5.51 fd00:5::51', 'fd00:5::50 10.0.5.50', '10.9.0.0/24', '10.9.0.7'],
  ...['fd00:9::/64', '10.0.5.1', '10.0.5.300', undefined],
);

const backendNodes = fc.record({
  ip: addresses,
  vifname: fc.option(fc.constant('vif-web'), { nil: undefined, freq: 5 }),
  mtu: fc.option(fc.constant('1400'), { nil: undefined, freq: 5 }),
});

const bytes = fc
  .uint8Array({ maxLength: 80 })
  .map((array) => Buffer.from(array).toString('latin1'));

/** `LINK` stands for the slot's link. */
const meddling = fc.constantFrom(
  ...['nft flush ruleset', 'nft delete table arp vifwatch', 'nft flush set inet vifwatch address4'],
  ...['ip link set LINK down', 'ip link set LINK up', 'ip neigh flush dev LINK nud permanent'],
  ...['ip route flush proto 86', 'ip -6 route flush proto 86', 'ip addr del 10.0.5.1/32 dev lo'],
  'ip link set LINK mtu 1300',
);

export const events: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant('attach'), slot: slots, nodes: backendNodes }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('replace'), slot: slots, nodes: backendNodes }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constantFrom('detach', 'close', 'reopen'), slot: slots }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('destroy'), vm: slots.map(({ vm }) => vm) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('write'),
      slot: slots,
      node: fc.constantFrom('ip', 'mac', 'hotplug-status', 'feature-x'),
      value: fc.oneof(
        addresses.map((ip) => ip ?? ''),
        bytes,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('meddle'), slot: slots, command: meddling }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('kill', 'start') }) },
);

/** Lets events happen to a host, each as far as it can: nobody detaches what is not attached. */
export const openAdversity = (host: SimHost) => {
  const domids = new Map<Slot['vm'], number>();
  const attached = new Set<string>();
  /** Removals that wait for a daemon. */
  const leaving = new Map<string, Promise<unknown>>();
  let isRunning = true;

  const keyOf = ({ vm, devid }: Slot): string => `${vm}${devid}`;
  const placeOf = async ({ vm, devid }: Slot): Promise<VifPlace> => {
    const domid = domids.get(vm) ?? (await host.create({ name: vm }));
    domids.set(vm, domid);
    return place(domid, devid);
  };
  const attach = async (slot: Slot, nodes: VifNodes): Promise<void> => {
    if (attached.has(keyOf(slot))) return;
    await leaving.get(keyOf(slot));
    const where = await placeOf(slot);
    attached.add(keyOf(slot));
    await addVif(host.dom0, where, { mac: macOf(where.guest, where.devid), ...nodes });
  };
  const detach = async (slot: Slot): Promise<void> => {
    if (!attached.delete(keyOf(slot))) return;
    // With force, since without it dom0 waits 10 s for a guest that was in the middle of connecting.
    const removal = removeVif(host.dom0, await placeOf(slot), true);
    leaving.set(keyOf(slot), removal);
    if (isRunning) await removal;
  };
  const asGuest = async (slot: Slot, node: string, value: string): Promise<void> => {
    if (!attached.has(keyOf(slot))) return;
    const { guest, devid } = await placeOf(slot);
    const store = host.sim.open(guest);
    try {
      await store.write(`/local/domain/${guest}/device/vif/${devid}/${node}`, value);
    } catch (error) {
      if (!(error instanceof XenstoreError)) throw error;
    } finally {
      store.close();
    }
  };
  const destroy = async (vm: Slot['vm']): Promise<void> => {
    if (!domids.has(vm)) return;
    for (const devid of [0, 1] as const) {
      await leaving.get(keyOf({ vm, devid }));
      attached.delete(keyOf({ vm, devid }));
    }
    if (!isRunning) await start();
    await host.destroy(vm);
    domids.delete(vm);
  };
  const start = async (): Promise<void> => {
    if (!isRunning) await host.startDaemon();
    isRunning = true;
    await Promise.all(leaving.values());
  };
  const isConnected = async (slot: Slot): Promise<boolean> => {
    const { guest, devid } = await placeOf(slot);
    return (await host.read(`${backend(guest, devid)}/state`)) === '4';
  };
  const happen = async (event: Event): Promise<void> => {
    switch (event.does) {
      case 'attach':
        return attach(event.slot, event.nodes);
      case 'replace':
        await detach(event.slot);
        return attach(event.slot, event.nodes);
      case 'detach':
        return detach(event.slot);
      case 'close':
        return (await isConnected(event.slot)) ? asGuest(event.slot, 'state', '6') : undefined;
      case 'reopen':
        return asGuest(event.slot, 'state', '1');
      case 'write':
        return asGuest(event.slot, event.node, event.value);
      case 'destroy':
        return destroy(event.vm);
      case 'meddle': {
        const { guest, devid } = await placeOf(event.slot);
        const command = event.command.replace('LINK', `vif${guest}.${devid}`);
        await host.inNetVm(command.split(' '));
        return;
      }
      case 'kill':
        if (isRunning) await host.signalDaemon('SIGKILL');
        isRunning = false;
        return;
      case 'start':
        return start();
    }
  };
  return { happen, start };
};
