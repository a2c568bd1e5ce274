/**
 * An isolated VM sends the first fragments of datagrams, and never the rest. Large pings of another VM must
 * be answered.
 */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { netbackMac, udp4 } from '../network/daemon/frames.ts';
import {
  growth,
  type SpoofingRig,
  spoofer,
  withSpoofingRig,
} from '../network/daemon/spoofing-rig.ts';
import { outside4, outside6 } from '../rig/host.ts';
import { sendFrom } from '../rig/sim/send.ts';
import { until } from '../support/until.ts';
import { fault } from './known.ts';

/** Sends COUNT fragments of 1400 bytes with different ids. Arguments: MAC SOURCE TARGET COUNT RATE [6]. */
const fragmenter = `
import socket, struct, sys, time
mac, source, target, count, perSecond, six = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]), len(sys.argv) > 6
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); out.bind(('eth0', 0))
def csum(b):
    t = sum(struct.unpack('!%dH' % (len(b)//2), b)); t = (t & 0xffff) + (t >> 16); return ~((t & 0xffff) + (t >> 16)) & 0xffff
m = lambda t: bytes.fromhex(t.replace(':', ''))
begin = time.time()
for n in range(count):
    if six:
        payload = struct.pack('!BBHI', 17, 0, 1, n + 1) + b'x' * 1400
        packet = b'\\x60\\0\\0\\0' + struct.pack('!HBB', len(payload), 44, 64) + socket.inet_pton(10, source) + socket.inet_pton(10, target) + payload
        frame = m('${netbackMac}') + m(mac) + b'\\x86\\xdd' + packet
    else:
        h = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 1420, n & 0xffff, 0x2000, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(target))
        h = h[:10] + struct.pack('!H', csum(h)) + h[12:]
        frame = m('${netbackMac}') + m(mac) + b'\\x08\\0' + h + b'x' * 1400
    out.send(frame)
    rest = begin + n / perSecond - time.time()
    if rest > 0: time.sleep(rest)
print(count, 'in', time.time() - begin)
`;

/** Sends five pings of 3000 bytes; gives the number of answers. */
const largePings = async ({ host }: SpoofingRig, target: string): Promise<number> => {
  const options = ['-c', '5', '-i', '0.2', '-W', '1', '-s', '3000'];
  const { stdout } = await host.inVm('victim', ['busybox', 'ping', ...options, target]);
  return Number(/(\d+) packets received/.exec(stdout)?.[1]);
};

const isolateSpoofer = async (rig: SpoofingRig): Promise<void> => {
  const { host, spoofer: from } = rig;
  writeFileSync(`${host.daemon.policies}/spoofer.toml`, 'profile = "isolated"\n');
  await until('the spoofing VM is isolated', async () => {
    const before = await rig.seen();
    const frame = udp4({ source: from.mac, from: spoofer.ipv4, to: outside4 }, 5353);
    await sendFrom(host.sim, from.namespace, [frame]);
    return !('world' in growth(before, await rig.seen()));
  });
};

test.fails.each([
  ['IPv4', spoofer.ipv4, outside4, []],
  ['IPv6', spoofer.ipv6, outside6, ['6']],
] as const)(fault('f3a', '3000 %s fragments delay no other VM'), (_family, source, target, extra) =>
  withSpoofingRig(async (rig) => {
    await isolateSpoofer(rig);
    await until('large pings are answered', async () => (await largePings(rig, target)) === 5);
    const { sim } = rig.host;
    const { mac, namespace } = rig.spoofer;
    const args = [mac, source, target, '3000', '1000000', ...extra];
    const argv = sim.inNamespace(namespace, ['python3', '-c', fragmenter, ...args]);
    expect((await sim.run(argv, { domid: 0 })).status).toBe(0);
    expect(await largePings(rig, target), 'answers').toBe(5);
  }),
);
