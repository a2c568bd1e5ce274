/** Another program repeats its changes, or adds routes, which are not the daemon's to delete. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertReaches, pingThroughout } from '../../scenario/ping.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { whileStopped } from './assert-repaired.ts';
import {
  attachRaw,
  backend,
  becomesConnected,
  guestVm,
  isUp,
  serveOne,
  status,
  withNetVm,
} from './net-vm.ts';

/** Starts a program that repeats the command until it is killed. */
const startFight = (host: SimHost, command: string) => {
  const loop = `while sleep 0.05; do ${command}; done 2>/dev/null`;
  const argv = host.sim.inNamespace(namespaceOf(host.netVm), ['sh', '-c', loop]);
  return host.sim.start('fight', argv, { domid: 0 });
};

/** The times at which the daemon repaired a vif; ms since the epoch. */
const repairsOf = (host: SimHost): readonly number[] =>
  (host.daemon.log().match(/^.*; restoring".*$/gm) ?? []).map((line) => JSON.parse(line).time);

test('a link that is set down again and again is repaired after longer and longer waits; other vifs do not notice', async () => {
  await withNetVm(async (host) => {
    const guest = await serveOne(host);
    const other = await host.create({ name: 'other' });
    await attachRaw(host, other, {});
    await becomesConnected(host, other);
    const pings = pingThroughout({ host, from: { name: 'other' } }, outside4);
    const fight = startFight(host, `ip link set vif${guest}.0 down`);
    await until('status reports DRIFT_FOUGHT', async () => {
      const { healthy, vifs } = await status(host);
      return !healthy && vifs[0]?.error?.code === 'DRIFT_FOUGHT';
    });
    const [vif, unharmed] = (await status(host)).vifs;
    assert.match(vif?.error?.text ?? '', /undoes each repair: link vif\d+\.0 down/);
    assert.equal(unharmed?.phase, 'connected');
    assert.equal(await host.read(`${backend(guest)}/hotplug-status`), 'connected');
    // Five repairs are immediate; then each repair comes after a wait, of 1 s, 2 s and so on.
    await until('the daemon has waited twice', () => repairsOf(host).length >= 8);
    const repairs = repairsOf(host);
    const rests = repairs.slice(1, 8).map((at, index) => at - (repairs[index] ?? 0));
    assert.ok((rests[5] ?? 0) >= 1_000 && (rests[6] ?? 0) >= 2_000, `after ${rests} ms`);
    await fight.kill();
    await pings.assertUninterrupted();
    await until('the link is up again', async () => (await isUp(host, `vif${guest}.0`)) === true);
    await assertReaches({ host, from: guestVm }, gateway4, outside4);
    await assertReaches({ host, from: { name: 'other' } }, gateway4, outside4);
  });
});

test('rules that are deleted again and again: every vif is closed until the rules stay', async () => {
  await withNetVm(async (host) => {
    const guest = await serveOne(host);
    const fight = startFight(host, 'nft delete table inet vifwatch');
    await until('status reports that all vifs are closed', async () => {
      const { daemon } = await status(host);
      return /undoes each repair of the static ruleset: closing all vifs/.test(
        daemon?.trouble ?? '',
      );
    });
    await inNetVm(host, ['ip', 'link', 'set', `vif${guest}.0`, 'up']);
    await until('the vif is closed', async () => (await isUp(host, `vif${guest}.0`)) === false);
    await fight.kill();
    await until('the vif is up again', async () => (await isUp(host, `vif${guest}.0`)) === true);
    await assertReaches({ host, from: guestVm }, gateway4, outside4);
  });
});

const routeTo = async (host: SimHost, address: string): Promise<string> =>
  inNetVm(host, ['ip', 'route', 'get', address]);

test('a foreign route shadows our route: ours goes in front, or status reports that it cannot', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create(guestVm);
    await attachRaw(host, guest, { ip: '10.0.5.30 10.9.0.0/24 fd00:5::30' });
    await becomesConnected(host, guest);
    const leads = async (address: string): Promise<boolean> =>
      (await routeTo(host, address)).includes(`dev vif${guest}.0 `);
    await until('the routes lead to the vif', async () => {
      return (await leads('10.0.5.30')) && (await leads('10.9.0.5')) && leads('fd00:5::30');
    });

    await whileStopped(host, async () => {
      await inNetVm(host, ['ip', 'route', 'prepend', '10.0.5.30', 'dev', 'eth0']);
      assert.equal(await leads('10.0.5.30'), false);
    });
    await until('our route is in front again', async () => leads('10.0.5.30'));
    await inNetVm(host, ['ip', 'route', 'append', 'fd00:5::30', 'dev', 'eth0', 'metric', '1']);
    assert.ok(await leads('fd00:5::30'));
    const others = await inNetVm(host, ['ip', 'route', 'show', 'table', 'all', 'dev', 'eth0']);
    assert.match(others, /10\.0\.5\.30 [\s\S]*fd00:5::30 /, 'a foreign route was deleted');
    await until('status is healthy', async () => (await status(host)).healthy);

    for (const [verb, healthy] of [
      ['add', false],
      ['del', true],
    ] as const) {
      await inNetVm(host, ['ip', 'route', verb, '10.9.0.5', 'dev', 'eth0']);
      await until(`status is right after ip route ${verb}`, async () => {
        return (await status(host)).healthy === healthy;
      });
      const { error } = (await status(host)).vifs[0] ?? {};
      assert.equal(error?.code, healthy ? undefined : 'ROUTE_SHADOWED');
      assert.equal(await host.read(`${backend(guest)}/hotplug-status`), 'connected');
    }
  });
});
