/** Sends packets from several namespaces of a rig at once, and reports where each of them came out. */
import assert from 'node:assert/strict';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { hangMs } from '../../support/until.ts';

export type Packet = {
  /** The namespace whose eth0 sends the packet, and the packet's MACs there. */
  readonly place: string;
  readonly sourceMac: string;
  readonly targetMac: string;
  /** Two addresses of the same family. */
  readonly source: string;
  readonly target: string;
  readonly protocol: 'udp' | 'tcp' | 'icmp' | 'icmpv6';
  /** The target port; each packet has its own source port, so that it continues no other packet's flow. */
  readonly port: number;
  /** The ICMP type. */
  readonly type: number;
};

/**
 * Opens one socket per namespace, which stays there when the program enters the next namespace. After the
 * packets, the program sends an ARP probe for net-vm's address from the world. One processor handles all
 * frames in their order, also over several veths: once the answer is there, each packet that wrongly passes
 * has arrived too. Packets that should pass may still wait for neighbour discovery.
 */
const program = `
import ctypes, json, os, select, socket, struct, sys, time
work = json.loads(sys.argv[1])
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
libc = ctypes.CDLL(None, use_errno=True)
sockets = {}
for name in work['places']:
    with open('/run/netns/' + name) as namespace:
        if libc.setns(namespace.fileno(), 0) != 0: sys.exit('no namespace ' + name)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind(('eth0', 0))
    sockets[name] = sock
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
arp = struct.pack('!HHHBB', 0x0806, 1, 0x0800, 6, 4)
def is_answer(data): return data[12:22] == arp + b'\\0\\2' and data[28:32] == uplink and data[38:42] == bytes(4)
uplink = socket.inet_aton('192.0.2.2')
seen, answered = {}, False
def drain(timeout):
    global answered
    ready, _, _ = select.select(list(sockets.values()), [], [], timeout)
    for name, sock in sockets.items():
        if sock not in ready: continue
        data, address = sock.recvfrom(65535)
        answered = answered or is_answer(data)
        mark = marks.get(data[-8:])
        # Replies and ICMP errors hold the mark as well, but not the addresses in this order.
        if mark is not None and address[2] != socket.PACKET_OUTGOING and ends(work['packets'][mark]) in data[22:54]: seen.setdefault(mark, []).append(name)
    return ready
for mark, i in marks.items():
    packet = work['packets'][i]
    sockets[packet['place']].send(frame(packet, work['first'] + i))
own = sockets['world'].getsockname()[4]
sockets['world'].send(b'\\xff' * 6 + own + arp + b'\\0\\1' + own + bytes(10) + uplink)
end = time.monotonic() + work['hang']
while (len(seen) < work['expected'] or not answered) and time.monotonic() < end: drain(0.1)
if not answered: sys.exit('net-vm does not answer the world')
while drain(0): pass
print(json.dumps([seen.get(i, []) for i in range(len(marks))]))
`;

let sent = 0;

/**
 * @param places the namespaces that send and receive packets, including the world
 * @param expected the number of packets that should come out
 * @returns the namespaces in which each packet came out
 */
export const throughNetVm = async (
  host: SimHost,
  places: readonly string[],
  packets: readonly Packet[],
  expected: number,
): Promise<readonly (readonly string[])[]> => {
  const work = JSON.stringify({ places, packets, expected, first: sent, hang: hangMs / 1000 });
  sent += packets.length;
  const argv = host.sim.inRig(['python3', '-c', program, work]);
  const { status, stdout, stderr } = await host.sim.run(argv, { domid: 0 });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as string[][];
};
