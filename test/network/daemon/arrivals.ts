/** Records the first datagram that reaches the machine beyond the uplink, or counts all of them. */
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { hangMs } from '../../support/until.ts';

const world = 'world';

const receiver = `
import socket, sys, time
arrivals = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
arrivals.bind((sys.argv[1], int(sys.argv[2])))
print('listening', flush=True)
arrivals.recv(64)
print(time.time() * 1000, flush=True)
`;

export type Arrival = {
  readonly listening: Promise<void>;
  /** The time at which the first datagram arrived; ms since the epoch. */
  readonly at: Promise<number>;
};

/** Waits for the first UDP datagram to a port of the machine beyond the uplink. */
export const firstArrival = ({ sim }: SimHost, port: number): Arrival => {
  const argv = sim.inNamespace(world, ['python3', '-c', receiver, outside4, `${port}`]);
  const [file = '', ...args] = argv;
  const child = execa(file, args, { env: sim.env({ domid: 0 }), reject: false, timeout: hangMs });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const { value } = await lines.next();
    assert.ok(value !== undefined, 'the receiver has ended');
    return value;
  };
  const listening = line().then(() => undefined);
  const at = listening.then(line).then(Number);
  // If a test fails earlier, nothing awaits `at`, and the end of the rig rejects it.
  at.catch(() => undefined);
  return { listening, at };
};

/** Counts the UDP datagrams that reach a port beyond the uplink; the result reads the count. */
export const watchWorld = async (
  { sim }: SimHost,
  port: number,
): Promise<() => Promise<number>> => {
  const nft = async (command: string): Promise<string> => {
    const argv = sim.inNamespace(world, ['nft', command]);
    const { status, stdout, stderr } = await sim.run(argv, { domid: 0 });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  await nft(
    `table inet arrivals { counter datagrams { }; chain input {
      type filter hook prerouting priority -450; udp dport ${port} counter name datagrams; }; }`,
  );
  return async () =>
    Number(/packets (\d+)/.exec(await nft('list counter inet arrivals datagrams'))?.[1]);
};
