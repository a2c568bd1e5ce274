/** A flow to an echo server: it sends the next packet after an answer, or after a short wait for one. */
import type { SimHost } from '../../rig/sim/sim-host.ts';
import type { TiedProcess } from '../../rig/sim/tied-process.ts';
import { until } from '../../support/until.ts';

export type Protocol = 'udp' | 'tcp' | 'icmp';

const echoPort = 7;

/** Echoes on UDP and TCP until it is killed. */
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
print('ready', flush=True)
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

/**
 * Prints a line for each packet: its answer's time in ms since the epoch, or "-" after 20 ms without one.
 * The program's own pauses do not count as silence. A TCP connection that does not open within a second
 * counts as 50 unanswered packets.
 */
const probeProgram = `
import socket, struct, sys, time
protocol, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
kind = {'udp': socket.SOCK_DGRAM, 'tcp': socket.SOCK_STREAM, 'icmp': socket.SOCK_RAW}[protocol]
def tell(line): print(line, flush=True)
def echo_request(sequence):
    def packet(check): return struct.pack('!BBHHH', 8, 0, check, 77, sequence & 0xffff)
    total = sum(struct.unpack('!4H', packet(0)))
    return packet(~((total & 0xffff) + (total >> 16)) & 0xffff)
def connect():
    while True:
        out = socket.socket(socket.AF_INET, kind, socket.getprotobyname('icmp') if protocol == 'icmp' else 0)
        out.settimeout(1)
        try:
            out.connect((address, port))
            return out
        except OSError as error:
            for _ in range(50 if isinstance(error, TimeoutError) else 1): tell('-')
            time.sleep(0.02)
def answer(out):
    data = out.recv(4096)
    while protocol == 'icmp' and (data[20] != 0 or data[24:26] != b'\\0\\x4d'): data = out.recv(4096)
out, sequence = connect(), 0
out.settimeout(0.02)
while True:
    sequence += 1
    try:
        out.send(echo_request(sequence) if protocol == 'icmp' else b'x')
        answer(out)
        tell(time.time() * 1000)
        time.sleep(0.002)
    except TimeoutError:
        tell('-')
    except OSError:
        tell('-')
        time.sleep(0.02)
`;

/** A flow counts as cut after this number of unanswered packets in a row, which take a second. */
const cutAfter = 50;

let started = 0;

const startAt = (host: SimHost, namespace: string, argv: readonly string[]): TiedProcess => {
  started += 1;
  const command = host.sim.inNamespace(namespace, ['python3', '-c', ...argv]);
  return host.sim.start(`probe-${started}`, command, { domid: 0 });
};

/** Starts an echo server in a network namespace of the rig; it runs until the rig ends. */
export const startEcho = async (
  host: SimHost,
  namespace: string,
  address: string,
): Promise<void> => {
  const server = startAt(host, namespace, [echoProgram, address, `${echoPort}`]);
  await until('the echo server listens', () => server.log().startsWith('ready'));
};

export type Probe = {
  /** Waits until a packet that is sent after the call has been answered. */
  readonly goesOn: () => Promise<void>;
  /** Waits until the flow is cut; resolves with the time of the last answer, ms since the epoch. */
  readonly isCut: () => Promise<number>;
};

/** The time of each packet's answer, or undefined. */
const packetsOf = (program: TiedProcess): readonly (number | undefined)[] =>
  program
    .log()
    .split('\n')
    .slice(0, -1)
    .map((line) => (line === '-' ? undefined : Number(line)));

const isAnswer = (packet: number | undefined): packet is number => packet !== undefined;

const isSilent = (packets: readonly (number | undefined)[]): boolean =>
  packets.length >= cutAfter && !packets.slice(-cutAfter).some(isAnswer);

const start = (
  host: SimHost,
  namespace: string,
  protocol: Protocol,
  target: string,
  port: number,
): TiedProcess => startAt(host, namespace, [probeProgram, protocol, target, `${port}`]);

/** Starts a flow that keeps sending until the rig ends; resolves once it has been answered. */
export const startProbe = async (
  host: SimHost,
  namespace: string,
  protocol: Protocol,
  target: string,
): Promise<Probe> => {
  const program = start(host, namespace, protocol, target, echoPort);
  const answers = (): readonly number[] => packetsOf(program).filter(isAnswer);
  const goesOn = async (): Promise<void> => {
    const before = answers().length;
    // The next answer may belong to a packet that was sent before the call.
    await until(`the ${protocol} flow continues`, () => answers().length >= before + 2);
  };
  await goesOn();
  return {
    goesOn,
    isCut: async () => {
      await until(`the ${protocol} flow is cut`, () => isSilent(packetsOf(program)));
      return answers().at(-1) ?? Number.NaN;
    },
  };
};

/** Whether a new flow is answered. */
export const isAnswered = async (
  host: SimHost,
  namespace: string,
  protocol: Protocol,
  target: string,
  port = echoPort,
): Promise<boolean> => {
  const program = start(host, namespace, protocol, target, port);
  try {
    await until('the flow is answered or stays silent', () => {
      const packets = packetsOf(program);
      return packets.some(isAnswer) || isSilent(packets);
    });
    return packetsOf(program).some(isAnswer);
  } finally {
    await program.kill();
  }
};
