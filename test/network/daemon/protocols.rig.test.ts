/**
 * A VM sends packets of all 256 IP protocols. conntrack has a name for few of them. The daemon must still cut
 * each flow that a policy forbids, and no other flow.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { outside4, outside6 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { create, inNetVm, inVm, mail, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { withNetVm } from './net-vm.ts';
import { startEcho, startProbe } from './probe.ts';

/**
 * Sends a packet of each protocol number, IPv4 and IPv6. The first bytes are the header of a protocol that
 * the kernel tracks by more than its number; without a valid header it would track no flow.
 */
const program = `
import socket, struct, sys
source4, target4, target6 = sys.argv[1:]
def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
def pseudo(protocol, data):
    return socket.inet_aton(source4) + socket.inet_aton(target4) + struct.pack('!BBH', 0, protocol, len(data))
def tcp(sum=0): return struct.pack('!HHIIBBHHH', 4001, 7, 1, 0, 0x50, 2, 1024, sum, 0)
payloads = {
    1: lambda: struct.pack('!BBHHH', 8, 0, checksum(struct.pack('!BBHHH', 8, 0, 0, 5, 1)), 5, 1),
    6: lambda: tcp(checksum(pseudo(6, tcp()) + tcp())),
    17: lambda: struct.pack('!HHHH', 4001, 9, 8, 0),
    47: lambda: struct.pack('!HH', 0, 0x0800) + bytes(4),
}
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for protocol in range(256):
    payload = payloads.get(protocol, lambda: bytes(32))()
    header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0,
                         socket.inet_aton(source4), socket.inet_aton(target4))
    raw.sendto(header + payload, (target4, 0))
for protocol in range(1, 255):
    try:
        out = socket.socket(socket.AF_INET6, socket.SOCK_RAW, protocol)
        out.sendto(bytes([128]) + bytes(31) if protocol == 58 else bytes(32), (target6, 0))
        out.close()
    except OSError:
        pass
`;

type Tracked = { readonly v4: ReadonlySet<number>; readonly v6: ReadonlySet<number> };

const protocolsOf = async (host: SimHost, family: 'ipv4' | 'ipv6', source: string) => {
  const listing = await inNetVm(host, ['conntrack', '-L', '-f', family, '-s', source]);
  return new Set([...listing.matchAll(/^\S+ +(\d+) /gm)].map(([, number]) => Number(number)));
};

const trackedOf = async (host: SimHost): Promise<Tracked> => ({
  v4: await protocolsOf(host, 'ipv4', web.ipv4),
  v6: await protocolsOf(host, 'ipv6', web.ipv6),
});

/**
 * DCCP, SCTP and UDP-Lite, which some kernels track only with a valid checksum, and ICMPv6, which no kernel
 * tracks in IPv4.
 */
const untracked = [33, 58, 132, 136];

test('a policy change cuts the flows of all protocols, except those that the policy allows', () =>
  withNetVm(async (host) => {
    await startEcho(host, 'world', outside4);
    await create(host, web);
    const other = await startProbe(host, namespaceOf(await create(host, mail)), 'tcp', outside4);
    await inVm(host, web, ['python3', '-c', program, web.ipv4, outside4, outside6]);
    const all = [...Array(256).keys()].filter((protocol) => !untracked.includes(protocol));
    await until('the last packet is tracked', async () => (await trackedOf(host)).v6.has(254));
    const { v4, v6 } = await trackedOf(host);
    expect(all.filter((protocol) => !v4.has(protocol))).toEqual([]);
    expect(v6.has(58)).toBe(true);
    expect(v6.size).toBeGreaterThan(200);
    const accept = (line: string): string => `[[rule]]\naction = "accept"\n${line}\n`;
    writeFileSync(`${host.daemon.policies}/web.toml`, accept('proto = "udp"'));
    await until('only UDP is left', async () => {
      const left = await trackedOf(host);
      return [...left.v4, ...left.v6].every((protocol) => protocol === 17);
    });
    assert.ok((await trackedOf(host)).v4.has(17), 'the allowed flow was cut');
    assert.doesNotMatch(host.daemon.log(), /cut all its flows/);
    await other.goesOn();
  }));
