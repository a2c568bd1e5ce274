/** Random events for a net-vm: dom0 and guests act, the daemon dies, other programs change the kernel. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { XenstoreError } from '../../../src/xen/xenstore.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { addVif, removeVif, type VifNodes, type VifPlace } from '../../rig/sim/toolstack.ts';
import { backend, macOf, place } from './net-vm.ts';

/** `pick` chooses among the attached vifs; for `attach`, it chooses among the others. */
export type Event = { readonly pick: number } & (
  | { readonly does: 'attach' | 'replace'; readonly nodes: VifNodes }
  | { readonly does: 'detach' | 'destroy' | 'close' | 'reopen' }
  | { readonly does: 'write'; readonly node: string; readonly value: string }
  | { readonly does: 'damage'; readonly command: string }
  | { readonly does: 'kill' | 'start' }
);

/** Few addresses, so that they conflict: equal ones, one within another, the gateway's, and none. */
const addresses = fc.constantFrom(
  ...['10.0.5.50', '10.0.5.51 fd00:5::51', 'fd00:5::51 10.0.5.50', '10.9.0.0/24', '10.9.0.7'],
  ...['10.0.5.1', undefined],
);

const nodes = fc.record({
  ip: addresses,
  vifname: fc.option(fc.constant('vif-web'), { nil: undefined, freq: 5 }),
  mtu: fc.constantFrom('1400', undefined),
});

const bytes = fc
  .uint8Array({ maxLength: 80 })
  .map((array) => Buffer.from(array).toString('latin1'));

/** `LINK` stands for the vif's link. */
const damageCommands = fc.constantFrom(
  ...['nft flush ruleset', 'nft delete table arp vifwatch', 'nft flush set inet vifwatch address4'],
  ...['ip link set LINK up', 'ip link set LINK down', 'ip link set LINK mtu 1300'],
  ...['ip neigh flush dev LINK nud permanent', 'ip addr del 10.0.5.1/32 dev lo'],
  'ip neigh add 10.66.0.1 dev LINK lladdr 00:16:3e:00:66:66 nud permanent',
  ...['ip route flush proto 86', 'ip route add 10.66.0.0/16 dev LINK proto 86'],
);

const pick = fc.nat(3);
const event = <T extends object>(
  weight: number,
  details: { [K in keyof T]: fc.Arbitrary<T[K]> },
) => ({
  weight,
  arbitrary: fc.record({ pick, ...details }, { noNullPrototype: true }),
});
const does = <T extends Event['does']>(...names: readonly T[]) => fc.constantFrom(...names);

/** Random events; attaches and detaches are the most frequent. */
export const events = fc.oneof(
  event(6, { does: does('attach'), nodes }),
  event(2, { does: does('replace'), nodes }),
  event(5, { does: does('detach', 'detach', 'destroy', 'close', 'reopen') }),
  event(4, { does: does('damage'), command: damageCommands }),
  event(3, { does: does('kill', 'start') }),
  event(1, {
    does: does('write'),
    node: fc.constantFrom('ip', 'mac', 'hotplug-status', 'feature-x'),
    value: fc.oneof(
      addresses.map((ip) => ip ?? ''),
      bytes,
    ),
  }),
) as fc.Arbitrary<Event>;

/** One vif of one of two guests. */
type Slot = { readonly vm: 'a' | 'b'; readonly devid: number };

const slots: readonly Slot[] = [0, 1].flatMap((devid) => [
  { vm: 'a', devid } as const,
  { vm: 'b', devid } as const,
]);

/** Applies events to a host; an event that is not possible does nothing. */
export const openRandomEvents = (host: SimHost) => {
  const domids = new Map<Slot['vm'], number>();
  const attached = new Set<Slot>();
  /** Removals in progress; without a daemon they last until one runs. */
  const removals = new Map<Slot, Promise<unknown>>();
  let isRunning = true;

  const placeOf = async ({ vm, devid }: Slot): Promise<VifPlace> => {
    const domid = domids.get(vm) ?? (await host.create({ name: vm }));
    domids.set(vm, domid);
    return place(domid, devid);
  };
  const start = async (): Promise<void> => {
    if (!isRunning) await host.startDaemon();
    isRunning = true;
    await Promise.all(removals.values());
  };
  const kill = async (): Promise<void> => {
    if (isRunning) await host.signalDaemon('SIGKILL');
    isRunning = false;
  };
  const attach = async (slot: Slot, given: VifNodes): Promise<void> => {
    if (removals.has(slot)) await start();
    const where = await placeOf(slot);
    attached.add(slot);
    await addVif(host.dom0, where, { mac: macOf(where.guest, where.devid), ...given });
  };
  const detach = async (slot: Slot): Promise<void> => {
    attached.delete(slot);
    // Without force, dom0 waits 10 s for a guest that was about to connect.
    const removal = removeVif(host.dom0, await placeOf(slot), true);
    removals.set(slot, removal);
    void removal.finally(() => removals.delete(slot));
    if (isRunning) assert.deepEqual(await removal, []);
  };
  const destroy = async ({ vm }: Slot): Promise<void> => {
    await start();
    for (const slot of slots) if (slot.vm === vm) attached.delete(slot);
    assert.equal((await host.destroy(vm)).stderr, '');
    domids.delete(vm);
  };
  const write = async (slot: Slot, node: string, value: string): Promise<void> => {
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
  const close = async (slot: Slot): Promise<void> => {
    const { guest, devid } = await placeOf(slot);
    const isConnected = (await host.read(`${backend(guest, devid)}/state`)) === '4';
    if (isConnected) await write(slot, 'state', '6');
  };
  const damage = async (slot: Slot, command: string): Promise<void> => {
    const { guest, devid } = await placeOf(slot);
    await host.inNetVm(command.replace('LINK', `vif${guest}.${devid}`).split(' '));
  };

  const happenTo = async (slot: Slot, event: Event): Promise<void> => {
    if (event.does === 'attach') await attach(slot, event.nodes);
    if (event.does === 'replace' || event.does === 'detach') await detach(slot);
    if (event.does === 'replace') await attach(slot, event.nodes);
    if (event.does === 'destroy') await destroy(slot);
    if (event.does === 'close') await close(slot);
    if (event.does === 'reopen') await write(slot, 'state', '1');
    if (event.does === 'write') await write(slot, event.node, event.value);
    if (event.does === 'damage') await damage(slot, event.command);
  };
  const happen = async (event: Event): Promise<void> => {
    if (event.does === 'kill') return kill();
    if (event.does === 'start') return start();
    const wanted = event.does === 'attach';
    const candidates = slots.filter((slot) => attached.has(slot) !== wanted);
    const slot = candidates[event.pick % candidates.length];
    if (slot !== undefined) await happenTo(slot, event);
  };
  return { happen, start };
};
