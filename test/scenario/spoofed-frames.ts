/** Every kind of spoofed frame that a guest can send. */
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
} from '../network/daemon/frames.ts';
import { gateway4, gateway6, outside4, outside6 } from '../rig/host.ts';

const broadcast = 'ff:ff:ff:ff:ff:ff';
const allNodes = { to: 'ff02::1', target: '33:33:00:00:00:01' };
const port = 7777;

/** The spoofing VM with its MAC and addresses, and the owners of the addresses that it forges. */
export type Parties = {
  readonly mac: string;
  readonly self: { readonly ipv4: string; readonly ipv6: string };
  readonly others: readonly { readonly ipv4: string; readonly ipv6: string }[];
};

/** Spoofed frames in hex, by the name of the drop counter that must count them. */
export type SpoofedFrames = Readonly<Record<string, readonly string[]>>;

/** The same packet to the world, to net-vm and to another VM. */
const sendingFrom = (
  from: string,
  { mac: source, others: [other] }: Pick<Parties, 'mac' | 'others'>,
): readonly string[] =>
  from.includes(':')
    ? [outside6, gateway6, other?.ipv6 ?? outside6].flatMap((to) => [
        udp6({ source, from, to }, port),
        echo6({ source, from, to }, 0x6666),
      ])
    : [outside4, gateway4, other?.ipv4 ?? outside4].flatMap((to) => [
        udp4({ source, from, to }, port),
        echo4({ source, from, to }, 0x6666),
      ]);

/** Packets with a foreign source, and packets that only routers and servers may send. */
export const spoofedPackets = ({ mac: source, self, others }: Parties): SpoofedFrames => {
  const sources = (...addresses: readonly string[]): string[] =>
    addresses.flatMap((from) => sendingFrom(from, { mac: source, others }));
  const [foreign4, foreign6] = [others.map(({ ipv4 }) => ipv4), others.map(({ ipv6 }) => ipv6)];
  const own4 = { source, from: self.ipv4, to: outside4 };
  const own6 = { source, from: self.ipv6, to: outside6 };
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
    other_vm_source: sources(...others.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])),
    mapped_source: sources('::ffff:a00:529', '::ffff:a00:528', '::ffff:7f00:1'),
    foreign_mac: [self.ipv4, self.ipv6].flatMap((from) =>
      sendingFrom(from, { mac: stranger, others }),
    ),
    foreign_fragment: [
      ...[...foreign4, '10.0.5.66'].map((from) => fragment4({ ...own4, from })),
      ...[...foreign6, 'fd00:5::66'].map((from) => fragment6({ ...own6, from })),
    ],
    dhcp_server: [
      udp4(own4, 68, 67),
      udp4({ ...own4, to: '255.255.255.255', target: broadcast }, 68, 67),
      udp6(own6, 546, 547),
      udp6({ ...own6, from: 'fe80::41', ...allNodes }, 546, 547),
    ],
    icmp_redirect: [redirect4(own4, '10.0.5.66'), redirect4({ ...own4, to: gateway4 }, outside4)],
    nd_redirect: [
      redirect6({ source, from: 'fe80::41', to: gateway6 }, outside6),
      redirect6({ source, from: self.ipv6, to: outside6 }, 'fd00:5::66'),
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
    // LLDP, PPPoE discovery, MPLS, an experimental ethertype, and an 802.3 length.
    unknown_ethertype: [0x88cc, 0x8863, 0x8847, 0x88b5, 0x0026].flatMap((type) => [
      foreignProtocol({ source }, type),
      foreignProtocol({ source, target: broadcast }, type),
    ]),
  };
};

/** Forbidden messages of ARP and of neighbour discovery. */
export const spoofedNeighbours = ({ mac: source, self, others }: Parties): SpoofedFrames => {
  const [others4, others6] = [others.map(({ ipv4 }) => ipv4), others.map(({ ipv6 }) => ipv6)];
  const local = { source, from: 'fe80::41' };
  const targets = [...others6, 'fd00:5::66', '2001:db8:ff::2', outside6];
  const all = { source, target: broadcast };
  const stranger = '00:16:3e:00:66:66';
  const foreign4 = [...others4, '10.0.5.66', gateway4, '192.0.2.2', '0.0.0.0'];
  const operations = ['request', 'reply'] as const;
  const both = (message: Omit<Parameters<typeof arp>[0], 'operation'>): string[] =>
    operations.map((operation) => arp({ ...message, operation }));
  return {
    nd_foreign_target: targets.flatMap((target) => [
      solicitation({ ...local, to: 'ff02::1:ff00:40', target: '33:33:ff:00:00:40' }, target),
      solicitation({ ...local, from: '::', ...allNodes }, target),
      solicitation({ source, from: self.ipv6, to: gateway6 }, target),
      advertisement({ ...local, ...allNodes }, target),
      advertisement({ source, from: self.ipv6, to: gateway6 }, target),
    ]),
    nd_foreign_source: [...others6, gateway6, 'fd00:5::66', outside6].flatMap((from) => [
      solicitation({ source, from, to: gateway6 }, gateway6),
      advertisement({ source, from, ...allNodes }, from),
    ]),
    nd_beyond_link: [
      solicitation({ source, from: self.ipv6, to: gateway6, hopLimit: 64 }, gateway6),
      advertisement({ ...local, ...allNodes, hopLimit: 254 }, 'fe80::41'),
    ],
    arp_foreign_ip: foreign4.flatMap((sender) => both({ ...all, sender, asks: gateway4 })),
    arp_foreign_mac: both({ ...all, mac: stranger, sender: self.ipv4, asks: gateway4 }),
    arp_foreign_frame: both({
      ...all,
      source: stranger,
      mac: source,
      sender: self.ipv4,
      asks: gateway4,
    }),
    arp_gratuitous: [...others4, '10.0.5.66', '192.0.2.2'].flatMap((sender) => [
      ...both({ ...all, sender, asks: sender }),
      arp({ operation: 'reply', source, sender, asks: sender }),
    ]),
  };
};
