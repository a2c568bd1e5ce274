/** `vifwatch panic` closes everything at once in any state of the daemon; `vifwatch resume` ends it. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { echo, type Flow, send, sendsMore, world } from './flows.ts';
import { attachRaw, becomesConnected, isUp, serveOne, status, withNetVm } from './net-vm.ts';

const port = 7777;
const enough = 100;

const vifwatch = async (host: SimHost, command: 'panic' | 'resume'): Promise<void> => {
  await inNetVm(host, ['vifwatch', command]);
};

const isInPanic = (host: SimHost) => async (): Promise<boolean> => {
  const { panic, healthy } = await status(host);
  return panic && !healthy;
};

const isDown = (host: SimHost, guest: number) => async (): Promise<boolean> =>
  (await isUp(host, `vif${guest}.0`)) === false;

type Traffic = { readonly flows: readonly Flow[]; readonly echoes: Flow };

/** Starts UDP through net-vm, and ICMP to net-vm and from it. */
const startTraffic = async (host: SimHost, guest: number): Promise<Traffic> => {
  const echoes = await echo(host, world, port);
  const flows = [
    await send(host, namespaceOf(guest), outside4, port),
    await send(host, namespaceOf(guest), '192.0.2.2'),
    await send(host, namespaceOf(host.netVm), `10.0.5.${guest}0`),
  ];
  return { flows, echoes };
};

type Flows = Pick<Traffic, 'flows'>;

const countsOf = ({ flows }: Flows) => Promise.all(flows.map((flow) => flow.now()));

const goesOn = async (traffic: Flows): Promise<void> => {
  const before = await countsOf(traffic);
  await until('all flows continue', async () => {
    const now = await countsOf(traffic);
    return now.every(({ seen }, index) => seen > (before[index]?.seen ?? 0) + enough);
  });
};

/** Asserts that no packet sent after `since` has come back or arrived. */
const assertClosedSince = async (
  traffic: Traffic,
  since: Awaited<ReturnType<typeof countsOf>>,
): Promise<void> => {
  await Promise.all(traffic.flows.map((flow) => sendsMore(flow, enough)));
  const now = await countsOf(traffic);
  for (const [index, { last }] of now.entries()) assert.ok(last < (since[index]?.sent ?? 0));
  assert.ok((await traffic.echoes.now()).last < (since[0]?.sent ?? 0));
};

test.concurrent('panic cuts existing flows and stays in force through each end and start of the daemon, until resume', async () => {
  await withNetVm(async (host) => {
    const guest = await serveOne(host);
    const traffic = await startTraffic(host, guest);
    await goesOn(traffic);

    await vifwatch(host, 'panic');
    const since = await countsOf(traffic);
    await until('status reports panic', isInPanic(host));
    await until('the vif is down', isDown(host, guest));
    await inNetVm(host, ['ip', 'link', 'set', 'dev', `vif${guest}.0`, 'up']);
    await until('the vif is down again', isDown(host, guest));
    assert.equal((await host.inNetVm(['vifwatch', 'status'])).status, 1);
    assert.match((await host.inNetVm(['vifwatch', 'status'])).stdout, /^PANIC: /m);
    await vifwatch(host, 'panic');
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await host.signalDaemon(signal);
      await assertClosedSince(traffic, since);
      await host.startDaemon();
      assert.ok(await isInPanic(host)());
      assert.ok(await isDown(host, guest)());
      await assertClosedSince(traffic, since);
    }
    const other = await host.create({ name: 'other' });
    await attachRaw(host, other, {});
    await becomesConnected(host, other);
    assert.ok(await isDown(host, other)());
    const lateEchoes = await echo(host, world, port + 1);
    const late = await send(host, namespaceOf(other), outside4, port + 1);
    await sendsMore(late, enough);
    assert.equal((await lateEchoes.now()).seen, 0, 'a flow that began in panic passed');
    await assertClosedSince(traffic, since);

    await vifwatch(host, 'resume');
    await goesOn({ flows: [...traffic.flows, late] });
    await vifwatch(host, 'resume');
    await until('status is healthy', async () => (await status(host)).healthy);
    assert.equal((await status(host)).panic, false);
    assert.doesNotMatch(host.daemon.log(), /DRIFT_FOUGHT/);
    assert.match(host.daemon.log(), /"panic":true.*\n(.*\n)*.*"panic":false/);
  });
});

test.concurrent('panic and resume work without a daemon and with a hung one, and a flush does not end panic', async () => {
  await withNetVm(async (host) => {
    const guest = await serveOne(host);
    const traffic = await startTraffic(host, guest);
    for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
      await goesOn(traffic);
      await host.signalDaemon(signal);
      await vifwatch(host, 'panic');
      assert.ok(await isDown(host, guest)());
      await assertClosedSince(traffic, await countsOf(traffic));
      if (signal === 'SIGKILL') assert.ok(await isInPanic(host)());
      await vifwatch(host, 'resume');
      if (signal === 'SIGKILL') await host.startDaemon();
      else await host.signalDaemon('SIGCONT');
      await goesOn(traffic);
    }
    await vifwatch(host, 'panic');
    await until('status reports panic', isInPanic(host));
    await inNetVm(host, ['nft', 'flush', 'ruleset']);
    await until('panic is in force again', async () => {
      const { stdout } = await host.inNetVm(['nft', 'list', 'tables']);
      return /inet vifwatch_panic\n[\s\S]*arp vifwatch_panic\n/.test(stdout);
    });
    await assertClosedSince(traffic, await countsOf(traffic));
    await vifwatch(host, 'resume');
    await goesOn(traffic);
  });
});
