/** One flow from a VM or from beyond the uplink, kept going until nobody answers any more: when did the last answer come? */
import assert from 'node:assert/strict';
import type { Output } from '../rig/host.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { until } from '../support/until.ts';

export type Protocol = 'udp' | 'tcp' | 'icmp';

const echoPort = 7;

/** Answers on UDP and TCP until it is killed; says "ready" once it does. */
const echoProgram = `
import socket, sys, threading
address, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ':' in address else socket.AF_INET
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind((address, port))
tcp = socket.socket(family, socket.SOCK_STREAM)
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
tcp.bind((address, port))
tcp.listen()
def converse(peer):
    while True:
        data = peer.recv(4096)
        if not data: return
        peer.sendall(data)
def accept():
    while True:
        threading.Thread(target=converse, args=(tcp.accept()[0],), daemon=True).start()
threading.Thread(target=accept, daemon=True).start()
while True:
    data, peer = udp.recvfrom(4096)
    udp.sendto(data, peer)
`;

/** Prints how many answers came, and when the last one did, in ms since the epoch. */
const probeProgram = `
import socket, struct, sys, time
protocol, address, port, patience, most = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])
kind = {'udp': socket.SOCK_DGRAM, 'tcp': socket.SOCK_STREAM, 'icmp': socket.SOCK_RAW}[protocol]
out = socket.socket(socket.AF_INET, kind, socket.getprotobyname('icmp') if protocol == 'icmp' else 0)
out.settimeout(patience)
count, last = 0, 0.0
begin = time.time()
def echo_request(sequence):
    def packet(check): return struct.pack('!BBHHH', 8, 0, check, 77, sequence & 0xffff)
    words = struct.unpack('!4H', packet(0))
    total = sum(words)
    return packet(~((total & 0xffff) + (total >> 16)) & 0xffff)
try:
    out.connect((address, port))
    while time.time() - max(last, begin) < patience and time.time() - begin < most:
        out.send(echo_request(count) if protocol == 'icmp' else b'x')
        out.settimeout(0.02 if protocol != 'tcp' else patience)
        try:
            out.recv(4096)
            count, last = count + 1, time.time()
        except socket.timeout:
            pass
        time.sleep(0.001)
except OSError:
    pass
print(count, last * 1000)
`;

const world = 'world';

/** In a VM, or beyond the uplink. */
const runAt = (host: SimHost, place: string, argv: readonly string[]): Promise<Output> =>
  place === world
    ? host.sim.run(host.sim.inNamespace(world, argv), { domid: 0 })
    : host.inVm(place, argv);

/** Starts a server beyond the uplink, or in a VM, for as long as the rig lives. */
export const startEcho = async (host: SimHost, place: string, address: string): Promise<void> => {
  const argv = ['python3', '-c', echoProgram, address, `${echoPort}`];
  runAt(host, place, argv).catch(() => {});
  const ask = ['python3', '-c', listeningProgram, `${echoPort}`];
  const listening = async () => (await runAt(host, place, ask)).status === 0;
  await until('the echo server listens', listening);
};

const listeningProgram = `
import sys
port = ':%04X' % int(sys.argv[1])
lines = open('/proc/net/tcp').read().split('\\n') + open('/proc/net/tcp6').read().split('\\n')
sys.exit(0 if any(port in line.split()[1] and line.split()[3] == '0A' for line in lines if len(line.split()) > 3) else 1)
`;

export type Answers = { readonly count: number; readonly lastAt: number };

/** Seconds without an answer after which a flow counts as cut. */
const patience = 1;

type Probing = { readonly most?: number; readonly port?: number };

/** Resolves when the flow is cut, or after `most` seconds. */
export const probe = async (
  host: SimHost,
  place: string,
  protocol: Protocol,
  target: string,
  { most = 20, port = echoPort }: Probing = {},
): Promise<Answers> => {
  const argv = ['python3', '-c', probeProgram, protocol, target, `${port}`, `${patience}`];
  const { status, stdout, stderr } = await runAt(host, place, [...argv, `${most}`]);
  assert.equal(status, 0, stderr);
  const [count = 0, lastAt = 0] = stdout.split(' ').map(Number);
  return { count, lastAt };
};
