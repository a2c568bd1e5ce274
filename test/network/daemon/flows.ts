/** Flows of numbered packets that continue through every event: a lost packet is a missing number. */
import assert from 'node:assert/strict';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import type { TiedProcess } from '../../rig/sim/tied-process.ts';
import { until } from '../../support/until.ts';

/**
 * `send TARGET PORT` sends a number every 3 ms, over UDP or (if PORT is 0) in ICMP echo requests, and reads
 * the answers. `echo PORT` sends each packet back. Both print their counts at SIGUSR1 and at SIGTERM.
 * At SIGTERM, `send` first waits for the missing answers until 5 s have passed since the last answer.
 * The large buffers keep packets while a busy machine runs other processes.
 */
const program = `
import json, select, signal, socket, struct, sys, time
mode, *args = sys.argv[1:]
asked = stopped = False
sent, seen, failures, seen_at = 0, set(), 0, 0
def see(number):
    global seen_at
    if number not in seen:
        seen_at = time.time()
    seen.add(number)
def ask(*_):
    global asked
    asked = True
def stop(*_):
    global stopped
    stopped = True
signal.signal(signal.SIGUSR1, ask)
signal.signal(signal.SIGTERM, stop)
def answer_if_asked():
    global asked
    if asked:
        asked = False
        report()
def report():
    lost = [n for n in range(sent) if n not in seen][:20]
    print(json.dumps({"sent": sent, "seen": len(seen), "last": max(seen, default=-1), "lastAt": seen_at * 1000, "lost": lost, "failures": failures}), flush=True)
def enlarge(out):
    SO_RCVBUFFORCE = 33
    out.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
if mode == "echo":
    out = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    out.bind(("::", int(args[0])))
    enlarge(out)
    print("ready", flush=True)
    while not stopped:
        answer_if_asked()
        if select.select([out], [], [], 0.02)[0]:
            data, peer = out.recvfrom(2048)
            see(struct.unpack("!I", data[:4])[0])
            try:
                out.sendto(data, peer)
            except OSError:
                failures += 1
else:
    target, port = args[0], int(args[1])
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    icmp = port == 0
    out = socket.socket(family, socket.SOCK_RAW if icmp else socket.SOCK_DGRAM, socket.IPPROTO_ICMP if icmp else 0)
    out.setblocking(False)
    enlarge(out)
    def packet(number):
        body = struct.pack("!I", number)
        if not icmp:
            return body
        words = (0x0800, 0, 0x7777, number & 0xffff) + struct.unpack("!HH", body)
        total = sum(words)
        total = (total & 0xffff) + (total >> 16)
        total = (total & 0xffff) + (total >> 16)
        return struct.pack("!HHHH", 0x0800, ~total & 0xffff, 0x7777, number & 0xffff) + body
    def take(until):
        while True:
            rest = until - time.monotonic()
            if rest <= 0 or stopped and len(seen) == sent:
                return
            try:
                ready = select.select([out], [], [], rest)[0]
                data = out.recv(2048) if ready else None
            except OSError:
                continue
            if data is None:
                return
            if icmp:
                if data[20] != 0 or data[24:26] != b"\\x77\\x77":
                    continue
                data = data[28:]
            see(struct.unpack("!I", data[:4])[0])
    print("ready", flush=True)
    while not stopped:
        answer_if_asked()
        try:
            out.sendto(packet(sent), (target, port))
        except OSError:
            failures += 1
        sent += 1
        take(time.monotonic() + 0.003)
    while len(seen) < sent and time.time() < seen_at + 5:
        take(time.monotonic() + 0.1)
report()
`;

export type Counts = {
  readonly sent: number;
  /** The number of different packets that arrived (`echo`) or came back (`send`). */
  readonly seen: number;
  /** The highest number among them, -1 if there is none. */
  readonly last: number;
  /** The time at which the last new number came; ms since the epoch, 0 if none came. */
  readonly lastAt: number;
  /** The first 20 sent numbers that did not come back. */
  readonly lost: readonly number[];
  /** Packets that the kernel refused to send. */
  readonly failures: number;
};

export type Flow = {
  readonly now: () => Promise<Counts>;
  readonly stop: () => Promise<Counts>;
};

const reportsOf = ({ log }: TiedProcess): string[] => log().match(/^\{.*\}$/gm) ?? [];

/** Waits until the program has printed a text; fails if the program ends first. */
const says = (running: TiedProcess, what: string, isSaid: () => boolean): Promise<void> =>
  until(`the flow reports ${what}`, () => {
    if (isSaid()) return true;
    const { exitCode, signalCode } = running.child;
    assert.ok(exitCode === null && signalCode === null, `the flow has ended: ${running.log()}`);
    return false;
  });

let started = 0;

/** @param namespace the network namespace of the program */
const start = async (host: SimHost, namespace: string, argv: readonly string[]): Promise<Flow> => {
  started += 1;
  const command = host.sim.inNamespace(namespace, ['python3', '-c', program, ...argv]);
  const running = host.sim.start(`flow-${started}`, command, { domid: 0 });
  await says(running, 'its start', () => running.log().includes('ready'));
  const reported = async (count: number): Promise<Counts> => {
    await says(running, 'its counts', () => reportsOf(running).length >= count);
    return JSON.parse(reportsOf(running).at(-1) ?? '');
  };
  return {
    now: () => {
      const count = reportsOf(running).length + 1;
      running.child.kill('SIGUSR1');
      return reported(count);
    },
    stop: () => {
      const count = reportsOf(running).length + 1;
      running.child.kill('SIGTERM');
      return reported(count);
    },
  };
};

/** The network namespace of the machine beyond the uplink. */
export const world = 'world';

/** Starts a flow over UDP, or over ICMP if no port is given. */
export const send = (host: SimHost, from: string, target: string, port = 0): Promise<Flow> =>
  start(host, from, ['send', target, `${port}`]);

/** Starts a UDP server in a network namespace that sends each packet back. */
export const echo = (host: SimHost, at: string, port: number): Promise<Flow> =>
  start(host, at, ['echo', `${port}`]);

/** Stops the flow and asserts that every packet came back; returns its counts. */
export const assertNothingLost = async (flow: Flow, what: string): Promise<Counts> => {
  const counts = await flow.stop();
  assert.ok(counts.sent > 0);
  assert.deepEqual(
    { ...counts, last: 0 },
    { ...counts, seen: counts.sent, lost: [], failures: 0, last: 0 },
    what,
  );
  return counts;
};

/** Waits until the flow has sent this many more packets. */
export const sendsMore = async (flow: Flow, packets: number): Promise<void> => {
  const { sent } = await flow.now();
  await until(`${packets} more are sent`, async () => (await flow.now()).sent >= sent + packets);
};
