/** One VM opens as many connections as net-vm's conntrack table holds. Another VM's new flows must pass. */
import { expect, test } from 'vitest';
import { netbackMac } from '../network/daemon/frames.ts';
import {
  type SpoofingRig,
  spoofer,
  victim,
  withSpoofingRig,
  world,
} from '../network/daemon/spoofing-rig.ts';
import { outside4 } from '../rig/host.ts';
import { assertReaches, ping } from '../scenario/ping.ts';
import { shIn } from './in-namespace.ts';
import { fault } from './known.ts';

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

const chunk = 20_000;

/** Opens `total` connections from the spoofing VM to the world. */
const connect = async ({ host, spoofer: from, uplinkMac }: SpoofingRig, total: number) => {
  const worldMac = await shIn(host, world, 'cat /sys/class/net/eth0/address');
  const take = async (namespace: string, argv: readonly string[]): Promise<void> => {
    const command = host.sim.inNamespace(namespace, ['python3', '-c', stepper, ...argv]);
    const { status, stderr } = await host.sim.run(command, { domid: 0 });
    expect(status, stderr).toBe(0);
  };
  const out = [from.mac, netbackMac, spoofer.ipv4, outside4];
  const back = [worldMac, uplinkMac, outside4, spoofer.ipv4];
  for (let first = 0; first < total; first += chunk) {
    const range = [`${first}`, `${chunk}`];
    await take(from.namespace, [...out, 'syn', ...range]);
    await take(world, [...back, 'synack', ...range]);
    await take(from.namespace, [...out, 'ack', ...range]);
  }
};

test.fails(fault('f3b', 'a VM that fills the connection table leaves room for others'), () =>
  withSpoofingRig(async (rig) => {
    const { host, nft } = rig;
    // The kernels at both ends do not know these connections, and would reset them.
    const rule = 'type filter hook output priority 0; tcp flags & rst == rst drop;';
    for (const namespace of [rig.spoofer.namespace, world])
      await nft(namespace, `table inet quiet { chain out { ${rule} }; }`);
    await assertReaches({ host, from: victim }, outside4);
    const { stdout } = await host.inNetVm(['cat', '/proc/sys/net/netfilter/nf_conntrack_max']);
    await connect(rig, Number(stdout) + chunk);
    expect((await ping({ host, from: victim }, outside4, 5)).received, 'answers').toBe(5);
  }),
);
