/** A VM sends the first fragments of datagrams, and never the rest: that costs no other VM its datagrams. */
import { expect, test } from 'vitest';
import { outside4, outside6 } from '../../rig/host.ts';
import { until } from '../../support/until.ts';
import { netbackMac } from './frames.ts';
import { status } from './net-vm.ts';
import { type SpoofingRig, spoofer, withSpoofingRig } from './spoofing-rig.ts';

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

test.each([
  ['IPv4', spoofer.ipv4, outside4, []],
  ['IPv6', spoofer.ipv6, outside6, ['6']],
] as const)("20,000 %s fragments delay no other VM's datagrams", (_family, source, target, extra) =>
  withSpoofingRig(async (rig) => {
    await until('large pings are answered', async () => (await largePings(rig, target)) === 5);
    const { sim } = rig.host;
    const { mac, namespace } = rig.spoofer;
    const args = [mac, source, target, '20000', '1000000', ...extra];
    const argv = sim.inNamespace(namespace, ['python3', '-c', fragmenter, ...args]);
    expect((await sim.run(argv, { domid: 0 })).status).toBe(0);
    expect(await largePings(rig, target), 'answers').toBe(5);
    expect((await rig.drops())['fragment_share']).toBeGreaterThan(0);
    const { vifs } = await status(rig.host);
    expect(vifs.find(({ name }) => name === 'spoofer')?.refused).toBeGreaterThan(0);
    expect(vifs.find(({ name }) => name === 'victim')?.refused).toBe(0);
  }),
);
