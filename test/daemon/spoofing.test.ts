/** Every kind of lie that a guest can send: its own counter counts each frame, and nobody sees any. */
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { gateway4, gateway6, outside4, outside6 } from '../rig/host.ts';
import {
  advertisement,
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
import { until } from './net-vm.ts';
import { sendFrom } from './sender.ts';
import {
  absent,
  assertPassNothing,
  growth,
  liar,
  type SpoofingRig,
  victim,
  withSpoofingRig,
} from './spoofing-rig.ts';

const broadcast = 'ff:ff:ff:ff:ff:ff';
const allNodes = { to: 'ff02::1', target: '33:33:00:00:00:01' };
const port = 7777;

type Lies = Readonly<Record<string, readonly string[]>>;

/** To the world, to net-vm and to the other VM. */
const from4 = (source: string, from: string): readonly string[] =>
  [outside4, gateway4, victim.ipv4].flatMap((to) => [
    udp4({ source, from, to }, port),
    echo4({ source, from, to }, 0x6666),
  ]);

const from6 = (source: string, from: string): readonly string[] =>
  [outside6, gateway6, victim.ipv6].flatMap((to) => [
    udp6({ source, from, to }, port),
    echo6({ source, from, to }, 0x6666),
  ]);

/** By the name of the counter. */
const packets = (source: string): Lies => {
  const sources = (...addresses: readonly string[]): string[] =>
    addresses.flatMap((from) => (from.includes(':') ? from6(source, from) : from4(source, from)));
  const own4 = { source, from: liar.ipv4, to: outside4 };
  const own6 = { source, from: liar.ipv6, to: outside6 };
  const stranger = '00:16:3e:00:66:66';
  return {
    foreign_source4: sources('10.0.5.66', '8.8.8.8', '192.0.2.77', '240.0.0.1'),
    foreign_source6: sources('fd00:5::66', '2001:db8:ff::77'),
    loopback_source: sources('127.0.0.1', '::1'),
    link_local_source: sources('169.254.7.7', 'fe80::66'),
    multicast_source: sources('224.0.0.1', '239.1.2.3', 'ff02::1', 'ff0e::66'),
    broadcast_source: sources('255.255.255.255', '192.0.2.255'),
    unspecified_source: sources('0.0.0.0', '::'),
    net_vm_source: sources('192.0.2.2', gateway4, '2001:db8:ff::2', gateway6),
    other_vm_source: sources(victim.ipv4, victim.ipv6, absent.ipv4, absent.ipv6),
    mapped_source: sources('::ffff:a00:529', '::ffff:a00:528', '::ffff:7f00:1'),
    foreign_mac: [...from4(stranger, liar.ipv4), ...from6(stranger, liar.ipv6)],
    foreign_fragment: [
      fragment4({ ...own4, from: victim.ipv4 }),
      fragment4({ ...own4, from: '10.0.5.66' }),
      fragment6({ ...own6, from: victim.ipv6 }),
      fragment6({ ...own6, from: 'fd00:5::66' }),
    ],
    dhcp_server: [
      udp4(own4, 68, 67),
      udp4({ ...own4, to: '255.255.255.255', target: broadcast }, 68, 67),
      udp6(own6, 546, 547),
      udp6({ ...own6, from: 'fe80::41', ...allNodes }, 546, 547),
    ],
    icmp_redirect: [redirect4(own4, victim.ipv4), redirect4({ ...own4, to: gateway4 }, outside4)],
    nd_redirect: [
      redirect6({ source, from: 'fe80::41', to: gateway6 }, outside6),
      redirect6({ source, from: liar.ipv6, to: outside6 }, victim.ipv6),
    ],
    router_advert: [
      routerAdvertisement({ source, from: 'fe80::41', ...allNodes }, '2001:db8:bad::'),
      routerAdvertisement({ source, from: 'fe80::41', to: 'fe80::1' }, '2001:db8:bad::'),
      routerAdvertisement(own6, '2001:db8:bad::'),
    ],
    vlan_tagged: [0, 1, 5, 4094].flatMap((vlan) => [
      tagged(udp4(own4, port), vlan),
      tagged(udp6(own6, port), vlan),
      tagged(udp4(own4, port), vlan, '88a8'),
      tagged(tagged(udp4(own4, port), vlan), vlan, '88a8'),
    ]),
    // LLDP, PPPoE discovery, MPLS, an experimental one, and a length as of 802.3.
    unknown_ethertype: [0x88cc, 0x8863, 0x8847, 0x88b5, 0x0026].flatMap((type) => [
      foreignProtocol({ source }, type),
      foreignProtocol({ source, target: broadcast }, type),
    ]),
  };
};

const neighbourLies = (source: string): Lies => {
  const local = { source, from: 'fe80::41' };
  const targets = [victim.ipv6, absent.ipv6, 'fd00:5::66', '2001:db8:ff::2', outside6];
  const all = { source, target: broadcast };
  const stranger = '00:16:3e:00:66:66';
  const foreign4 = [victim.ipv4, absent.ipv4, '10.0.5.66', gateway4, '192.0.2.2', '0.0.0.0'];
  const operations = ['request', 'reply'] as const;
  const both = (one: Omit<Parameters<typeof arp>[0], 'operation'>): string[] =>
    operations.map((operation) => arp({ ...one, operation }));
  return {
    nd_foreign_target: targets.flatMap((target) => [
      solicitation({ ...local, to: 'ff02::1:ff00:40', target: '33:33:ff:00:00:40' }, target),
      solicitation({ ...local, from: '::', ...allNodes }, target),
      solicitation({ source, from: liar.ipv6, to: gateway6 }, target),
      advertisement({ ...local, ...allNodes }, target),
      advertisement({ source, from: liar.ipv6, to: gateway6 }, target),
    ]),
    nd_foreign_source: [victim.ipv6, gateway6, 'fd00:5::66', outside6].flatMap((from) => [
      solicitation({ source, from, to: gateway6 }, gateway6),
      advertisement({ source, from, ...allNodes }, from),
    ]),
    nd_beyond_link: [
      solicitation({ source, from: liar.ipv6, to: gateway6, hopLimit: 64 }, gateway6),
      advertisement({ ...local, ...allNodes, hopLimit: 254 }, 'fe80::41'),
    ],
    arp_foreign_ip: foreign4.flatMap((sender) => both({ ...all, sender, asks: gateway4 })),
    arp_foreign_mac: both({ ...all, mac: stranger, sender: liar.ipv4, asks: gateway4 }),
    arp_foreign_frame: both({
      ...all,
      source: stranger,
      mac: source,
      sender: liar.ipv4,
      asks: gateway4,
    }),
    arp_gratuitous: [victim.ipv4, absent.ipv4, '10.0.5.66', '192.0.2.2'].flatMap((sender) => [
      ...both({ ...all, sender, asks: sender }),
      arp({ operation: 'reply', source, sender, asks: sender }),
    ]),
  };
};

const assertAllPassNothing = async (rig: SpoofingRig, lies: Lies): Promise<void> => {
  for (const [counter, frames] of Object.entries(lies)) {
    await assertPassNothing(rig, rig.liar.namespace, { counter, frames });
  }
};

describe('of what a guest sends', () => {
  test('no packet with a foreign source or MAC passes, nor what only routers and servers say', async () => {
    await withSpoofingRig(async (rig) => {
      await assertAllPassNothing(rig, packets(rig.liar.mac));
    });
  });

  test('no lie in ARP or neighbour discovery passes, and none is answered', async () => {
    await withSpoofingRig(async (rig) => {
      await assertAllPassNothing(rig, neighbourLies(rig.liar.mac));
    });
  });

  test('the truth passes and is answered, which the witnesses see', async () => {
    await withSpoofingRig(async ({ host, liar: { namespace, mac: source }, seen, drops }) => {
      const multicast = { to: 'ff02::1:ff00:1', target: '33:33:ff:00:00:01' };
      const truths = {
        world: [
          udp4({ source, from: liar.ipv4, to: outside4 }, port),
          udp6({ source, from: liar.ipv6, to: outside6 }, port),
          fragment4({ source, from: liar.ipv4, to: outside4 }),
        ],
        netVmArp: [
          arp({
            source,
            target: broadcast,
            operation: 'request',
            sender: liar.ipv4,
            asks: gateway4,
          }),
          arp({
            source,
            target: broadcast,
            operation: 'request',
            sender: liar.ipv4,
            asks: liar.ipv4,
          }),
        ],
        netVm: [
          echo4({ source, from: liar.ipv4, to: gateway4 }, 7),
          solicitation({ source, from: liar.ipv6, ...multicast }, gateway6),
          advertisement({ source, from: 'fe80::41', ...allNodes }, 'fe80::41'),
        ],
      };
      const dropped = await drops();
      for (const [witness, frames] of Object.entries(truths)) {
        const before = await seen();
        await sendFrom(host, namespace, frames);
        // The fragment waits for others that never come.
        const least = witness === 'world' ? 2 : frames.length;
        await until(`${witness} sees it`, async () => {
          return (growth(before, await seen())[witness] ?? 0) >= least;
        });
        if (witness !== 'netVm') continue;
        await until(
          'net-vm has answered',
          async () => (growth(before, await seen())['liar'] ?? 0) >= 2,
        );
      }
      // Of itself a guest may speak, though nobody listens: as to find out whether its address is taken.
      await sendFrom(host, namespace, [
        solicitation({ source, from: '::', ...allNodes }, liar.ipv6),
        advertisement({ source, from: liar.ipv6, ...allNodes }, liar.ipv6),
      ]);
      assert.deepEqual(growth(dropped, await drops()), {});
    });
  });
});
