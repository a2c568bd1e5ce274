/** A VM has a share of net-vm's neighbour entries and ICMP errors. */
import { expect, test } from 'vitest';
import { sh } from '../../faults/in-namespace.ts';
import { gateway4, gateway6 } from '../../rig/host.ts';
import { sendFrom } from '../../rig/sim/send.ts';
import { arp, solicitation, udp6, unknownOption6 } from './frames.ts';
import { status } from './net-vm.ts';
import { type SpoofingRig, spoofer, withSpoofingRig } from './spoofing-rig.ts';

const count = 1_000;
const numbers = Array.from({ length: count }, (_, n) => (n + 16).toString(16));

const entries = async ({ host }: SpoofingRig): Promise<number> =>
  Number(await sh(host, '(ip neigh; ip -6 neigh) | wc -l'));

/** A second's share and what a VM may take at once; the frames take some seconds on a slow machine. */
const most = 400;

const floods: Readonly<Record<string, (source: string, n: string) => string>> = {
  neighbour_share: (source, n) =>
    solicitation({ source, from: `fe80::${n}`, to: gateway6 }, gateway6),
  arp_share: (source) =>
    arp({ source, operation: 'request', sender: spoofer.ipv4, asks: gateway4 }),
  next_hop_share: (source, n) =>
    udp6({ source, from: spoofer.ipv6, to: `2001:db8:ff::${n}` }, 9, 1024 + Number.parseInt(n, 16)),
  icmp_error_share: (source, n) =>
    udp6({ source, from: spoofer.ipv6, to: `2001:db8:fe::${n}`, hopLimit: 1 }, 9),
};

test.each(Object.keys(floods))('a VM that makes much work of one kind is held to its %s', (kind) =>
  withSpoofingRig(async (rig) => {
    const before = await entries(rig);
    const { mac, namespace } = rig.spoofer;
    const frames = numbers.map((n) => floods[kind]?.(mac, n) ?? '');
    await sendFrom(rig.host.sim, namespace, frames);
    expect((await rig.drops())[kind]).toBeGreaterThan(count - most);
    expect((await entries(rig)) - before).toBeLessThan(most);
    const { vifs } = await status(rig.host);
    expect(vifs.find(({ name }) => name === 'spoofer')?.refused).toBeGreaterThan(0);
    expect(vifs.find(({ name }) => name === 'victim')?.refused).toBe(0);
  }),
);

test('a packet with an unknown hop-by-hop option makes net-vm answer nobody', () =>
  withSpoofingRig(async (rig) => {
    const errors = () => sh(rig.host, 'grep Icmp6OutParmProblems /proc/net/snmp6');
    const before = [await entries(rig), await errors()];
    const { mac: source, namespace } = rig.spoofer;
    const frames = numbers
      .slice(0, 200)
      .map((n) => unknownOption6({ source, from: `2001:db8:ff::${n}`, to: gateway6 }));
    await sendFrom(rig.host.sim, namespace, frames);
    expect([await entries(rig), await errors()]).toEqual(before);
  }));
