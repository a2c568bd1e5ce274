/** The firewall survives the daemon's kills, stops, double starts and bad configurations, and a flush. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'vitest';
import { gateway4 } from '../../rig/host.ts';
import { removeVif } from '../../rig/sim/toolstack.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { slowness } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import {
  attachRaw,
  becomesConnected,
  guestVm,
  kernelState,
  place,
  serveOne,
  status,
  withNetVm,
} from './net-vm.ts';

test('a second daemon refuses to run and disturbs nothing', async () => {
  await withNetVm(async (host) => {
    await serveOne(host);
    const before = await kernelState(host);
    const { status: exit, stdout } = await host.inNetVm(['vifwatch', 'run']);
    assert.equal(exit, 1);
    assert.match(stdout, /"code":"ALREADY_RUNNING"/);
    assert.equal(await kernelState(host), before);
    assert.equal((await host.inNetVm(['vifwatch', 'status'])).status, 0);
  });
});

test('a bad configuration: exit status 78, a message with file and line, and nothing is changed', async () => {
  await withNetVm(
    async (host) => {
      for (const command of ['run', 'check']) {
        const { status: exit, stdout } = await host.inNetVm(['vifwatch', command]);
        assert.equal(exit, command === 'run' ? 78 : 1);
        assert.match(stdout, /vifwatch\.toml:2:1: unknown key \\?"uplinks\\?"/);
      }
      assert.notEqual((await host.inNetVm(['nft', 'list', 'table', 'inet', 'vifwatch'])).status, 0);
    },
    { daemon: false, config: '\nuplinks = ["eth0"]\n' },
  );
});

test('a flush of the ruleset just before a vif comes: the ruleset is whole again', async () => {
  await withNetVm(async (host) => {
    const guest = await serveOne(host);
    const before = await kernelState(host);
    await inNetVm(host, ['nft', 'flush', 'ruleset']);
    const other = await host.create({ name: 'other' });
    await attachRaw(host, other, {});
    await becomesConnected(host, other);
    assert.deepEqual(await removeVif(host.dom0, place(other)), []);
    await until('the rules are back', async () => (await kernelState(host)) === before);
    assert.equal((await status(host)).vifs[0]?.domid, guest);
  });
});

test('a kill at any instant and a new start: vifs are attached and detached as usual', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create(guestVm);
    const slow = await slowness();
    // The instants in ms after dom0's act; on a slow machine they come later in proportion.
    for (const pause of [0, 5, 10, 18, 30].map((usual) => usual * slow)) {
      await host.actors.deferVifs();
      const attached = attachRaw(host, guest, {});
      await host.actors.release();
      await delay(pause);
      await host.signalDaemon('SIGKILL');
      await host.startDaemon();
      await attached;
      await becomesConnected(host, guest);
      await assertReaches({ host, from: guestVm }, gateway4);
      const detached = removeVif(host.dom0, place(guest));
      await delay(pause);
      await host.signalDaemon('SIGKILL');
      await host.startDaemon();
      // dom0 gives up after 10 s, in which a slow daemon may not have started.
      if ((await detached).length > 0)
        assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
      await until('no vif has kernel state', async () => !/vif\d/.test(await kernelState(host)));
    }
  });
});

test('a daemon that gets SIGTERM at the moment it becomes ready ends, five times', async () => {
  await withNetVm(
    async (host) => {
      for (let round = 0; round < 5; round++) {
        await host.startDaemon();
        await host.signalDaemon('SIGTERM');
      }
    },
    { daemon: false },
  );
});
