/** Measures a router's throughput at the receiver. */
import assert from 'node:assert/strict';
import { execa } from 'execa';
import { netbackMac, udp4 } from '../network/daemon/frames.ts';
import type { Output } from '../rig/host.ts';
import { outside4 } from '../rig/host.ts';
import { until } from '../support/until.ts';
import { inGuest, type Router } from './router.ts';

const source = new URL('traffic.c', import.meta.url).pathname;
/** The network namespace of the machine beyond the uplink. */
const world = 'world';
const port = 5001;
const discard = 9;
/** Bytes of the smallest Ethernet frame, without its checksum. */
const leastFrame = 60;

/**
 * Builds the traffic program for all routers, in the directory of the given one, which is removed with its
 * host.
 */
export const buildTraffic = async ({ host }: Router): Promise<string> => {
  const program = `${host.sim.directory}/traffic`;
  await execa('cc', ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
  return program;
};

const lineOf = ({ status, stdout, stderr }: Output): number => {
  assert.equal(status, 0, stderr);
  return Number(stdout.trim().split('\n').at(-1));
};

const inWorld = ({ host }: Router, argv: readonly string[]): Promise<Output> =>
  host.sim.run(host.sim.inNamespace(world, argv), { domid: 0 });

/**
 * Runs a command on one processor: the sender, in whose time packets are forwarded, and the receiver get one
 * each.
 */
const onProcessor = (which: number, argv: readonly string[]): string[] => [
  'nice',
  '-n',
  '-20',
  'taskset',
  '--cpu-list',
  `${which}`,
  ...argv,
];

/** Gbit/s of a TCP stream from the guest, with segments of the kernel's choice. */
export const streamThrough = async (
  router: Router,
  program: string,
  seconds: number,
): Promise<number> => {
  const receiving = inWorld(router, onProcessor(1, [program, 'sink', `${port}`]));
  const argv = onProcessor(0, [program, 'stream', outside4, `${port}`, `${seconds}`]);
  await until('the sink listens', async () => {
    const { status, stderr } = await inGuest(router, argv);
    if (status !== 0) assert.match(stderr, /Connection refused/);
    return status === 0;
  });
  return lineOf(await receiving) / 1e9;
};

const countTable = `table inet bench { counter arrived { }; chain arrivals {
  type filter hook prerouting priority -450; udp dport ${discard} counter name arrived drop; }; }`;

/** Counts and drops the packets that arrive beyond the uplink. */
export const countArrivals = async (router: Router): Promise<void> => {
  const { status, stderr } = await inWorld(router, ['nft', countTable]);
  assert.equal(status, 0, stderr);
};

const arrived = async (router: Router): Promise<number> => {
  const { stdout } = await inWorld(router, ['nft', 'list', 'counter', 'inet', 'bench', 'arrived']);
  return Number(/packets (\d+)/.exec(stdout)?.[1]);
};

/** Thousands of packets per second of a UDP flow with the smallest packets. */
export const packetsThrough = async (
  router: Router,
  program: string,
  seconds: number,
): Promise<number> => {
  const { address, mac } = router;
  const packet = { source: mac, target: netbackMac, from: address, to: outside4 };
  const frame = udp4(packet, discard).padEnd(2 * leastFrame, '0');
  const before = await arrived(router);
  const argv = onProcessor(0, [program, 'packets', 'eth0', `${seconds}`, frame]);
  const took = lineOf(await inGuest(router, argv));
  return ((await arrived(router)) - before) / took / 1e3;
};
