/** A VM has a share of net-vm's flows: those that it opens, and those that hosts outside open to it. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sh, shIn } from '../../faults/in-namespace.ts';
import { outside4 } from '../../rig/host.ts';
import { assertReaches, ping } from '../../scenario/ping.ts';
import { until } from '../../support/until.ts';
import { netbackMac } from './frames.ts';
import { status } from './net-vm.ts';
import {
  type SpoofingRig,
  spoofer,
  spoofingConfig,
  victim,
  withSpoofingRig,
  world,
} from './spoofing-rig.ts';

/** Sends one step of COUNT TCP handshakes. Arguments: MAC TARGET-MAC FROM TO STEP FIRST COUNT. */
const stepper = `
import socket, struct, sys, time
mine, theirs, source, target, step, first, count = sys.argv[1:5] + [sys.argv[5]] + [int(x) for x in sys.argv[6:8]]
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); out.bind(('eth0', 0))
m = lambda t: bytes.fromhex(t.replace(':', ''))
fold = lambda t: (t & 0xffff) + (t >> 16)
words = lambda b: sum(struct.unpack('!%dH' % (len(b)//2), b))
head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 40, 1, 0x4000, 64, 6, 0, socket.inet_aton(source), socket.inet_aton(target))
head = head[:10] + struct.pack('!H', ~fold(fold(words(head))) & 0xffff) + head[12:]
seq, ack, flags = {'syn': (1000, 0, 2), 'synack': (5000, 1001, 0x12), 'ack': (1001, 5001, 0x10)}[step]
rest = struct.pack('!IIBBHHH', seq, ack, 0x50, flags, 65535, 0, 0)
base = words(head[12:20]) + 6 + 20 + words(rest)
front = m(theirs) + m(mine) + b'\\x08\\0' + head
begin = time.time()
for n in range(first, first + count):
    client, server = 10000 + n % 32768, 20000 + n // 32768
    a, b = (server, client) if step == 'synack' else (client, server)
    check = ~fold(fold(base + a + b)) & 0xffff
    out.send(front + struct.pack('!HH', a, b) + rest[:12] + struct.pack('!H', check) + rest[14:])
print(step, count, time.time() - begin)
`;

type End = { readonly namespace: string; readonly mac: string; readonly address: string };

/** Opens `total` connections from one end to the other, through net-vm. */
const connect = async (
  rig: SpoofingRig,
  ends: { readonly client: End; readonly server: End },
  total: number,
) => {
  const { host, uplinkMac } = rig;
  const routerOf = ({ namespace }: End): string => (namespace === world ? uplinkMac : netbackMac);
  const take = async (from: End, to: End, step: string): Promise<void> => {
    const argv = [from.mac, routerOf(from), from.address, to.address, step, '0', `${total}`];
    const command = host.sim.inNamespace(from.namespace, ['python3', '-c', stepper, ...argv]);
    const { status: exit, stderr } = await host.sim.run(command, { domid: 0 });
    expect(exit, stderr).toBe(0);
  };
  const { client, server } = ends;
  await take(client, server, 'syn');
  await take(server, client, 'synack');
  await take(client, server, 'ack');
};

const endsOf = async ({ host, spoofer: from }: SpoofingRig) => ({
  vm: { namespace: from.namespace, mac: from.mac, address: spoofer.ipv4 },
  outside: {
    namespace: world,
    mac: await shIn(host, world, 'cat /sys/class/net/eth0/address'),
    address: outside4,
  },
});

/** The kernels at both ends do not know these connections, and would reset them. */
const sendNoResets = async ({ nft, spoofer: from }: SpoofingRig): Promise<void> => {
  const rule = 'type filter hook output priority 0; tcp flags & rst == rst drop;';
  for (const namespace of [from.namespace, world])
    await nft(namespace, `table inet quiet { chain out { ${rule} }; }`);
};

const tracked = async ({ host }: SpoofingRig): Promise<number> =>
  Number(await sh(host, 'cat /proc/sys/net/netfilter/nf_conntrack_count'));

const refusedOf = async ({ host }: SpoofingRig): Promise<Record<string, number | null>> => {
  const { vifs } = await status(host);
  return Object.fromEntries(vifs.map(({ name, refused }) => [name, refused]));
};

const answersAll = async ({ host }: SpoofingRig): Promise<void> => {
  expect((await ping({ host, from: victim }, outside4, 5)).received, 'answers').toBe(5);
};

test('a VM that opens connections without end leaves room for others', () =>
  withSpoofingRig(async (rig) => {
    await sendNoResets(rig);
    await assertReaches({ host: rig.host, from: victim }, outside4);
    const { vm, outside } = await endsOf(rig);
    await connect(rig, { client: vm, server: outside }, 30_000);
    expect(await tracked(rig)).toBeLessThan(8_192 + 100);
    await answersAll(rig);
    const refused = await refusedOf(rig);
    expect(refused['spoofer']).toBeGreaterThan(10_000);
    expect(refused['victim']).toBe(0);
  }));

const few = '[share]\nflows = 100\nnew_flows = 100000\n';

test('a VM has as many open flows as its share, and hosts outside open as many to it', () =>
  withSpoofingRig(async (rig) => {
    const policy = `${rig.host.daemon.policies}/${spoofer.name}.toml`;
    writeFileSync(
      policy,
      '[[rule]]\ndirection = "in"\naction = "accept"\n[[rule]]\ndirection = "out"\naction = "accept"\n',
    );
    await sendNoResets(rig);
    const { vm, outside } = await endsOf(rig);
    const counts = async () => (await rig.drops())['flow_share'] ?? 0;
    await until('the policy lets hosts outside connect', async () => {
      const before = await tracked(rig);
      await connect(rig, { client: outside, server: vm }, 300);
      return (await tracked(rig)) > before + 50;
    });
    expect(await tracked(rig)).toBeLessThan(200);
    const before = { drops: await counts(), tracked: await tracked(rig) };
    await connect(rig, { client: vm, server: outside }, 300);
    expect(await counts()).toBeGreaterThanOrEqual(before.drops + 200);
    expect(await tracked(rig)).toBeLessThan(before.tracked + 110);
    await answersAll(rig);
  }, few));

test('a changed share is in force after a restart, also for a VM with open flows', () =>
  withSpoofingRig(async (rig) => {
    await sendNoResets(rig);
    const { vm, outside } = await endsOf(rig);
    await connect(rig, { client: vm, server: outside }, 300);
    const before = await tracked(rig);
    expect(before).toBeLessThan(200);
    rig.host.daemon.configure(`${spoofingConfig}[share]\nflows = 400\nnew_flows = 100000\n`);
    await rig.host.signalDaemon('SIGTERM');
    await rig.host.startDaemon();
    await connect(rig, { client: vm, server: outside }, 350);
    expect(await tracked(rig)).toBeGreaterThan(before + 150);
  }, few));
