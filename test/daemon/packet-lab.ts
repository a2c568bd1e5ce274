/** Sends packets from several namespaces of a rig in one go, and tells where each of them came out. */
import assert from 'node:assert/strict';
import type { SimHost } from '../rig/sim/sim-host.ts';

export type Packet = {
  /** The namespace whose eth0 it is sent from, and the MACs it has there. */
  readonly place: string;
  readonly sourceMac: string;
  readonly targetMac: string;
  /** Addresses, both of one family. */
  readonly source: string;
  readonly target: string;
  readonly protocol: 'udp' | 'tcp' | 'icmp' | 'icmpv6';
  /** The target port; the source port is one of its own, so that no packet continues another's flow. */
  readonly port: number;
  /** The ICMP type. */
  readonly type: number;
};

/**
 * One socket per namespace, which outlives the change to the next. It ends once as many have arrived as should, or
 * after a second; what should not have arrived would be there by then, as veths deliver at once.
 */
const program = `
import ctypes, json, select, socket, struct, sys, time
work = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
sockets = {}
for name in work['places']:
    with open('/run/netns/' + name) as namespace:
        if libc.setns(namespace.fileno(), 0) != 0: sys.exit('no namespace ' + name)
    one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    one.bind(('eth0', 0))
    sockets[name] = one
def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total > 0xffff: total = (total & 0xffff) + (total >> 16)
    return struct.pack('!H', ~total & 0xffff)
def ends(packet):
    family = socket.AF_INET6 if ':' in packet['target'] else socket.AF_INET
    return socket.inet_pton(family, packet['source']) + socket.inet_pton(family, packet['target'])
def frame(packet, mark):
    v6, addresses = ':' in packet['target'], ends(packet)
    number = {'icmp': 1, 'tcp': 6, 'udp': 17, 'icmpv6': 58}[packet['protocol']]
    ports = struct.pack('!HH', mark & 0xffff, packet['port'])
    data, at = {
        'udp': (ports + struct.pack('!HH', 16, 0), 6),
        'tcp': (ports + struct.pack('!IIBBHHH', mark, 0, 0x50, 2, 1024, 0, 0), 16),
    }.get(packet['protocol'], (struct.pack('!BBHHH', packet['type'], 0, 0, mark & 0xffff, 1), 2))
    data += struct.pack('!II', 0x7ac0ffee, mark)
    pseudo = b'' if number == 1 else addresses + struct.pack('!II', len(data), number)
    data = data[:at] + checksum(pseudo + data) + data[at + 2:]
    if v6: header = struct.pack('!IHBB', 0x60000000, len(data), number, 64) + addresses
    else:
        start = struct.pack('!BBHHHBB', 0x45, 0, 20 + len(data), mark & 0xffff, 0, 64, number)
        header = start + checksum(start + b'\\0\\0' + addresses) + addresses
    macs = bytes.fromhex((packet['targetMac'] + packet['sourceMac']).replace(':', ''))
    return macs + (b'\\x86\\xdd' if v6 else b'\\x08\\x00') + header + data
marks = {struct.pack('!II', 0x7ac0ffee, work['first'] + i): i for i in range(len(work['packets']))}
seen = {}
def drain(patience):
    ready, _, _ = select.select(list(sockets.values()), [], [], patience)
    for name, one in sockets.items():
        if one not in ready: continue
        data, address = one.recvfrom(65535)
        mark = marks.get(data[-8:])
        # Answers and complaints hold the mark as well, but not the addresses in this order.
        if mark is not None and address[2] != socket.PACKET_OUTGOING and ends(work['packets'][mark]) in data[22:54]: seen.setdefault(mark, []).append(name)
    return ready
for mark, i in marks.items():
    packet = work['packets'][i]
    sockets[packet['place']].send(frame(packet, work['first'] + i))
end = time.monotonic() + 1
while len(seen) < work['expected'] and time.monotonic() < end: drain(0.1)
while drain(0.01): pass
print(json.dumps([seen.get(i, []) for i in range(len(marks))]))
`;

let sent = 0;

/** @param expected how many should come out @returns the namespaces in which each packet came out */
export const throughNetVm = async (
  host: SimHost,
  places: readonly string[],
  packets: readonly Packet[],
  expected: number,
): Promise<readonly (readonly string[])[]> => {
  const work = JSON.stringify({ places, packets, expected, first: sent });
  sent += packets.length;
  const argv = host.sim.inRig(['python3', '-c', program, work]);
  const { status, stdout, stderr } = await host.sim.run(argv, { domid: 0 });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as string[][];
};
