/** One release takes over 40 vifs from another, without any effect on their flows. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import {
  assertNothingLost,
  type Counts,
  echo,
  type Flow,
  send,
  sendsMore,
  world,
} from '../network/daemon/flows.ts';
import { becomesConnected, macOf, place, withNetVm } from '../network/daemon/net-vm.ts';
import { outside4, outside6, type Signal } from '../rig/host.ts';
import { commandLine } from '../rig/process.ts';
import { ownMain } from '../rig/sim/program.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { writeVif } from '../rig/sim/toolstack.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { assertReaches } from '../scenario/ping.ts';
import { inNetVm } from '../scenario/vms.ts';
import { printFigures } from '../support/figures.ts';
import { until } from '../support/until.ts';
import { type Connection, connect, serve } from './connections.ts';
import { backendsOf, connectionsOf, type Events, linksOf, watchEvents } from './net-vm-facts.ts';
import { releaseMain } from './release.ts';

const vms = [1, 2, 3, 4, 5, 6, 7, 8] as const;
const devids = [0, 1, 2, 3, 4];

const nameOf = (vm: number): string => `app${vm}`;
/** The VM's domid. net-vm is domain 2, and the VMs follow it. */
const domidOf = (vm: number): number => vm + 2;
const ipv4Of = (vm: number, devid = 0): string => `10.0.5.${10 * vm + devid}`;
const ipv6Of = (vm: number, devid = 0): string => `fd00:5::${vm}:${devid}`;
const inVm = (vm: number): string => namespaceOf(domidOf(vm));

const [udpPort, tcpPort, forbiddenPort] = [7777, 8000, 6666];
const enough = 100;

/** Allows flows from the world to the first VM, and from the third VM to the second. */
const writePolicies = ({ daemon }: SimHost): void => {
  const rules = (peer: string, direction: string): string =>
    [
      ['udp', udpPort],
      ['tcp', tcpPort],
    ]
      .map(
        ([proto, port]) =>
          `[[rule]]\naction = "accept"\ndirection = "${direction}"\n${peer}\nproto = "${proto}"\ndstports = ${port}\n`,
      )
      .join('\n');
  const policies: readonly (readonly [vm: number, text: string])[] = [
    [1, rules('specialtarget = "uplink"', 'in')],
    [2, rules('srcvm = "app3"', 'in')],
    [3, rules('dstvm = "app2"', 'out')],
  ];
  for (const [vm, text] of policies)
    writeFileSync(`${daemon.policies}/${nameOf(vm)}.toml`, `profile = "internet"\n${text}`);
};

/** dom0 attaches all vifs at once. */
const attachAll = async (host: SimHost): Promise<void> => {
  for (const vm of vms) assert.equal(await host.create({ name: nameOf(vm) }), domidOf(vm));
  await host.actors.deferVifs();
  for (const vm of vms) {
    for (const devid of devids) {
      const ip = `${ipv4Of(vm, devid)} ${ipv6Of(vm, devid)}`;
      const mac = macOf(domidOf(vm), devid);
      await writeVif(host.dom0, place(domidOf(vm), devid), { mac, ip });
    }
  }
  await host.actors.release();
  for (const vm of vms)
    for (const devid of devids) await becomesConnected(host, domidOf(vm), devid);
  for (const vm of vms)
    await assertReaches({ host, from: { name: nameOf(vm) } }, outside4, outside6);
};

/** Starts flows that send all the time, one for each kind that the rules allow. */
const startAllowed = async (host: SimHost): Promise<readonly Flow[]> => {
  for (const at of [world, inVm(1), inVm(2)]) await echo(host, at, udpPort);
  return [
    await send(host, inVm(1), outside4, udpPort),
    await send(host, inVm(4), outside6, udpPort),
    await send(host, inVm(5), outside4),
    await send(host, world, ipv4Of(1), udpPort),
    await send(host, inVm(3), ipv6Of(2), udpPort),
  ];
};

/** Opens connections that are idle most of the time. */
const openConnections = async (host: SimHost): Promise<readonly Connection[]> => {
  for (const at of [world, inVm(1), inVm(2)]) await serve(host, at, tcpPort);
  return [
    ...(await Promise.all(vms.map((vm) => connect(host, inVm(vm), outside4, tcpPort)))),
    await connect(host, world, ipv4Of(1), tcpPort),
    await connect(host, inVm(3), ipv4Of(2), tcpPort),
  ];
};

const listenAll = (host: SimHost): Promise<readonly Flow[]> =>
  Promise.all([inVm(6), inVm(7), namespaceOf(2)].map((at) => echo(host, at, forbiddenPort)));

/** Starts a flow that no rule allows to each listener. */
const startForbidden = async (host: SimHost): Promise<readonly Flow[]> => [
  await send(host, world, ipv4Of(6), forbiddenPort),
  await send(host, inVm(6), ipv6Of(7), forbiddenPort),
  await send(host, inVm(6), '192.0.2.2', forbiddenPort),
];

/** Checks with the `status` command of each release that all vifs are connected. */
const assertServesAll = async ({ daemon }: SimHost, mains: readonly string[]): Promise<void> => {
  for (const main of mains) {
    const { status, stdout, stderr } = await daemon.run(['status', '--json'], main);
    assert.equal(status, 0, `${stdout}${stderr}`);
    const { healthy, vifs } = JSON.parse(stdout);
    assert.equal(healthy, true);
    assert.equal(vifs.length, vms.length * devids.length);
    for (const { phase } of vifs) assert.equal(phase, 'connected');
  }
};

/** The state that a hand-over must not change. */
const factsOf = async (host: SimHost) => ({
  connections: await connectionsOf(host, [udpPort, tcpPort]),
  links: await linksOf(host),
  backends: await backendsOf(host),
});

type Facts = Awaited<ReturnType<typeof factsOf>>;

/** The numbers of lost packets: a later packet has come back. */
const overtaken = ({ lost, last }: Counts): readonly number[] =>
  lost.filter((number) => number < last);

const sum = (counts: readonly Counts[]): number =>
  counts.reduce((total, { sent }) => total + sent, 0);

/** Does the damage that a bad hand-over would do, and checks that the test detects each kind. */
const assertWouldShow = async (
  host: SimHost,
  { before, events, flow }: { before: Facts; events: Events; flow: Flow },
): Promise<void> => {
  await host.signalDaemon('SIGTERM');
  await inNetVm(host, ['ip', 'link', 'set', `vif${domidOf(1)}.0`, 'down']);
  await until('the link event is seen', () => events.ofLinks().length > 0);
  await inNetVm(host, ['conntrack', '-D', '-p', 'tcp', '-s', ipv4Of(5)]);
  const node = `/local/domain/2/backend/vif/${domidOf(4)}/0/hotplug-status`;
  await host.dom0.write(node, 'connected');
  await until('the write is seen', () => events.ofStatus().includes(node));
  await host.dom0.write(node, 'error');
  const { connections, links, backends } = await factsOf(host);
  assert.equal(connections.size, before.connections.size - 1);
  assert.notDeepEqual(links, before.links);
  assert.notDeepEqual(backends, before.backends);
  await host.dom0.write(node, 'connected');
  // The daemon sets the link up again.
  await host.startDaemon();
  await until('the loss is seen', async () => overtaken(await flow.now()).length > 0);
};

test('0.1 hands 40 vifs over and takes them back after SIGTERM and SIGKILL: no lost packet, cut flow or link event', async () => {
  const oldMain = await releaseMain('0.1.0');
  await withNetVm(
    async (host) => {
      writePolicies(host);
      const events = watchEvents(host);
      await host.daemon.start(oldMain);
      await attachAll(host);
      assert.ok(events.ofLinks().length >= 40 && events.ofStatus().length >= 40);

      const allowed = await startAllowed(host);
      const connections = await openConnections(host);
      const closed = await listenAll(host);
      const forbidden = await startForbidden(host);
      const goOn = async (): Promise<void> => {
        await Promise.all([...allowed, ...forbidden].map((flow) => sendsMore(flow, enough)));
        await Promise.all(connections.map(({ use }) => use()));
      };
      await goOn();
      const before = await factsOf(host);
      assert.equal(before.connections.size, allowed.length + connections.length);
      events.ofLinks();
      events.ofStatus();

      const times: Record<string, number> = {};
      const handOver = async (what: string, signal: Signal, main: string): Promise<void> => {
        const began = performance.now();
        await host.daemon.signal(signal);
        await host.daemon.start(main);
        times[`${what}Ms`] = Math.round(performance.now() - began);
        assert.ok(commandLine(host.daemon.pid()).includes(main), what);
        await goOn();
        await assertServesAll(host, [main, main === ownMain ? oldMain : ownMain]);
        assert.deepEqual(await factsOf(host), before, what);
        assert.deepEqual(events.ofLinks(), [], what);
        assert.deepEqual(events.ofStatus(), [], what);
        for (const flow of closed) assert.equal((await flow.now()).seen, 0, what);
      };
      await handOver('upgrade', 'SIGTERM', ownMain);
      await handOver('downgrade', 'SIGTERM', oldMain);
      await handOver('upgradeAfterKill', 'SIGKILL', ownMain);
      await handOver('downgradeAfterKill', 'SIGKILL', oldMain);

      const [first, ...others] = allowed;
      assert.ok(first);
      const counts = [await first.now()];
      for (const [index, flow] of others.entries())
        counts.push(await assertNothingLost(flow, `flow ${index + 1}`));
      assert.deepEqual(counts.flatMap(overtaken), []);
      const refused = await Promise.all(forbidden.map((flow) => flow.now()));
      printFigures({
        vifs: vms.length * devids.length,
        connections: connections.length,
        sent: sum(counts),
        lost: counts.flatMap(overtaken).length,
        forbiddenSent: sum(refused),
        forbiddenPassed: 0,
        ...times,
      });

      await assertWouldShow(host, { before, events, flow: first });
      await host.signalDaemon('SIGTERM');
      await inNetVm(host, ['nft', 'flush', 'ruleset']);
      for (const flow of closed)
        await until('a forbidden packet passes', async () => (await flow.now()).seen > 0);
      events.stop();
    },
    { daemon: false, quota: { nodes: 9000, watches: 1000 } },
  );
});
