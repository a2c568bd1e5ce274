/** The daemon is itself killed, stopped or started twice, badly configured, or its rules are flushed: the firewall stands. */
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

test('a bad configuration: exit status 78, file and line, and nothing was touched', async () => {
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

test('somebody flushes the ruleset just before a vif comes: it is whole again', async () => {
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

test('killed at any instant, then started: as if it had been there from the beginning', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create(guestVm);
    const slow = await slowness();
    // The instants, in ms after dom0's act; a slow daemon comes as far later.
    for (const pause of [0, 5, 10, 18, 30].map((usual) => usual * slow)) {
      await host.actors.hold();
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
      // dom0 waits 10 s, in which a slow daemon may not have started.
      if ((await detached).length > 0)
        assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
      await until('nothing is left', async () => !/vif\d/.test(await kernelState(host)));
    }
  });
});

test('told to stop at the moment it becomes ready, five times: it ends', async () => {
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
