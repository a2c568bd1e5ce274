/** No packet passes from the uplink with a VM's address, on or off, or out to a VM that is off. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { gateway4, outside4, outside6 } from '../../rig/host.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { until } from '../../support/until.ts';
import {
  arp,
  echo4,
  echo6,
  foreignProtocol,
  fragment4,
  fragment6,
  redirect4,
  redirect6,
  routerAdvertisement,
  solicitation,
  tagged,
  udp4,
  udp6,
} from './frames.ts';
import { macOf } from './net-vm.ts';
import {
  absent,
  assertPassNothing,
  growth,
  type SpoofingRig,
  spoofer,
  trySending,
  victim,
  withSpoofingRig,
  world,
} from './spoofing-rig.ts';

const port = 7777;
const worldMac = '00:16:3e:00:77:77';

/** Packets from the world to both guests and to net-vm itself. */
const fromWorld = ({ uplinkMac }: SpoofingRig, from: string): string[] => {
  const mac = { source: worldMac, target: uplinkMac };
  return from.includes(':')
    ? [spoofer.ipv6, victim.ipv6, '2001:db8:ff::2'].flatMap((to) => [
        udp6({ ...mac, from, to }, port),
        echo6({ ...mac, from, to }, 7),
      ])
    : [spoofer.ipv4, victim.ipv4, '192.0.2.2'].flatMap((to) => [
        udp4({ ...mac, from, to }, port),
        echo4({ ...mac, from, to }, 7),
      ]);
};

const fragments = ({ uplinkMac }: SpoofingRig, from4: string, from6: string): string[] => [
  fragment4({ source: worldMac, target: uplinkMac, from: from4, to: spoofer.ipv4 }),
  fragment6({ source: worldMac, target: uplinkMac, from: from6, to: spoofer.ipv6 }),
];

test("a packet from the uplink with a VM's address does not pass, whether the VM is on or off", async () => {
  await withSpoofingRig(async (rig) => {
    const on = [victim.ipv4, victim.ipv6, spoofer.ipv4, spoofer.ipv6];
    const off = [absent.ipv4, '10.0.7.255', absent.ipv6];
    const sources = (addresses: readonly string[]): string[] =>
      addresses.flatMap((from) => fromWorld(rig, from));
    await assertPassNothing(rig, world, {
      vm_source_upstream: [...sources(on), ...fragments(rig, victim.ipv4, victim.ipv6)],
      absent_vm_source_upstream: [...sources(off), ...fragments(rig, absent.ipv4, absent.ipv6)],
    });
  });
});

test('packets that no guest may send do not reach a guest either', async () => {
  await withSpoofingRig(async (rig) => {
    const mac = { source: worldMac, target: rig.uplinkMac };
    const [to4, to6] = [
      { ...mac, from: outside4, to: spoofer.ipv4 },
      { ...mac, from: outside6, to: spoofer.ipv6 },
    ];
    const sources4 = ['127.0.0.1', '169.254.7.7', '224.0.0.1', '255.255.255.255', '0.0.0.0'];
    const sources6 = ['::1', 'fe80::66', 'ff02::1', '::', '::ffff:a00:529', 'fd00:5::66'];
    const others = ['192.0.2.2', gateway4, '192.0.2.77', '10.0.5.66'];
    const frames = [
      ...[...sources4, ...others].map((from) => udp4({ ...to4, from }, port)),
      ...sources6.map((from) => udp6({ ...to6, from }, port)),
      ...[fragment4(to4), fragment6(to6), udp4(to4, 68, 67), udp6(to6, 546, 547)],
      ...[
        redirect4(to4, victim.ipv4),
        redirect6(to6, victim.ipv6),
        routerAdvertisement(to6, 'fd00:bad::'),
      ],
      solicitation(to6, spoofer.ipv6),
      ...[0, 5].flatMap((vlan) => [tagged(udp4(to4, port), vlan), tagged(udp6(to6, port), vlan)]),
      ...[0x88cc, 0x88b5].map((type) => foreignProtocol(mac, type)),
      // The target is the guest's own MAC: nothing bridges the frame.
      udp4({ ...to4, target: macOf(4) }, port),
      arp({
        source: worldMac,
        target: 'ff:ff:ff:ff:ff:ff',
        operation: 'reply',
        sender: gateway4,
        asks: spoofer.ipv4,
      }),
    ];
    const spoofed = udp4({ ...to4, from: victim.ipv4 }, port);
    await assertPassNothing(rig, world, { vm_source_upstream: [spoofed] }, frames);
  });
});

test('no packet leaves to a VM that is off, or to a VM whose route is gone', async () => {
  await withSpoofingRig(async (rig) => {
    const { host, spoofer: sender, uplinkMac } = rig;
    const counter = 'absent_vm_target';
    const fromSpoofer = { source: sender.mac };
    const toAbsent = (mac: { source: string; target?: string }, from4: string, from6: string) => [
      udp4({ ...mac, from: from4, to: absent.ipv4 }, port),
      udp6({ ...mac, from: from6, to: absent.ipv6 }, port),
    ];
    await assertPassNothing(rig, sender.namespace, {
      [counter]: toAbsent(fromSpoofer, spoofer.ipv4, spoofer.ipv6),
    });
    const mac = { source: worldMac, target: uplinkMac };
    await assertPassNothing(rig, world, { [counter]: toAbsent(mac, outside4, outside6) });
    const [dropped, seen] = [await rig.drops(), await rig.seen()];
    await trySending(rig, absent.ipv4);
    await trySending(rig, absent.ipv6);
    assert.deepEqual(growth(dropped, await rig.drops()), { [counter]: 2 });
    assert.deepEqual(growth(seen, await rig.seen()), {});
    // Without a daemon, nothing restores the routes.
    await host.signalDaemon('SIGKILL');
    for (const address of [victim.ipv4, victim.ipv6]) {
      assert.equal((await host.inNetVm(['ip', 'route', 'del', address])).status, 0);
    }
    const frames = [
      udp4({ ...mac, from: outside4, to: victim.ipv4 }, port),
      udp6({ ...mac, from: outside6, to: victim.ipv6 }, port),
    ];
    await assertPassNothing(rig, world, { [counter]: frames });
  });
});

test('a changed configuration changes the list of networks at the next start', async () => {
  await withSpoofingRig(async (rig) => {
    const { host } = rig;
    const mac = { source: worldMac, target: rig.uplinkMac };
    const frames = [udp4({ ...mac, from: '10.0.7.200', to: spoofer.ipv4 }, port)];
    const counter = 'absent_vm_source_upstream';
    await assertPassNothing(rig, world, { [counter]: frames });
    host.daemon.configure(
      `gateway = ["${gateway4}"]\n[[vm]]\nname = "absent"\naddresses = ["10.0.7.0/25"]\n`,
    );
    await host.signalDaemon('SIGTERM');
    await host.startDaemon();
    const listed = async (): Promise<string> =>
      (await host.inNetVm(['nft', 'list', 'set', 'inet', 'vifwatch', 'vm_network4'])).stdout;
    await until('the set has the new network', async () =>
      (await listed()).includes('10.0.7.0/25'),
    );
    assert.doesNotMatch(await listed(), /10\.0\.7\.0\/24/);
    const inside = [udp4({ ...mac, from: '10.0.7.9', to: spoofer.ipv4 }, port)];
    await assertPassNothing(rig, world, { [counter]: inside }, frames);
  });
});

test('net-vm may have its own address in a network of the list, and guests reach it', async () => {
  await withSpoofingRig(async ({ host, drops }) => {
    const own = '10.0.7.1';
    const before = await drops();
    assert.equal((await host.inNetVm(['ip', 'addr', 'add', `${own}/32`, 'dev', 'lo'])).status, 0);
    await assertReaches({ host, from: 'net-vm' }, own);
    await assertReaches({ host, from: { name: spoofer.name } }, own);
    assert.deepEqual(growth(before, await drops()), {});
  });
});
