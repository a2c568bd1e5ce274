/** xenstored hangs, dies, is not there or has no room: the daemon ends and says so, and the firewall stands. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import { isRunning } from '../../rig/sim/rig-directory.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { guestVm, serveOne, status, withNetVm } from './net-vm.ts';

/** Waits until the daemon has ended by itself, soon after xenstored fell silent, and for that reason. */
const assertEnds = async (host: SimHost, silence: () => unknown): Promise<void> => {
  const pid = host.daemon.pid();
  const bound = await openBound(10_000);
  const start = performance.now();
  await silence();
  await until('the daemon ends', () => !isRunning(pid));
  await bound.assertKept(performance.now() - start, 'the end of the daemon');
  assert.match(host.daemon.log(), /"level":60.*"code":"XENSTORE_HUNG"/);
};

test.concurrent('xenstored hangs: found within 10 s, the daemon ends, traffic goes on', async () => {
  await withNetVm(async (host) => {
    await serveOne(host);
    const isConnected = async (): Promise<boolean> =>
      (await status(host)).vifs[0]?.phase === 'connected';
    await assertEnds(host, async () => {
      host.sim.xenstored.child.kill('SIGSTOP');
      assert.ok(await isConnected(), 'status does without xenstored');
    });
    await assertReaches({ host, from: guestVm }, gateway4, outside4);
    host.sim.xenstored.child.kill('SIGCONT');
    await host.startDaemon();
    await until('the vif is served again', isConnected);
  });
});

test.concurrent('oxenstored dies: the daemon ends within 10 s, traffic goes on', async () => {
  await withNetVm(
    async (host) => {
      await serveOne(host);
      // Over a ring, as on real Xen, death is silence.
      await assertEnds(host, host.sim.xenstored.kill);
      await assertReaches({ host, from: guestVm }, gateway4, outside4);
    },
    { store: 'oxenstored' },
  );
});

test.concurrent('without a xenstored the daemon does not start, and says why', async () => {
  await withNetVm(
    async (host) => {
      await host.sim.xenstored.kill();
      const { status: exit, stdout } = await host.inNetVm(['vifwatch', 'run']);
      assert.equal(exit, 1);
      assert.match(stdout, /"code":"XENSTORE_UNAVAILABLE","msg":"cannot talk to xenstored: /);
    },
    { daemon: false },
  );
});

test.concurrent('no watch left in the quota: a clear end, and the firewall is closed', async () => {
  await withNetVm(
    async (host) => {
      const { status: exit, stdout } = await host.inNetVm(['vifwatch', 'run']);
      assert.equal(exit, 1);
      assert.match(stdout, /"level":60/);
      assert.equal(
        (await host.inNetVm(['nft', 'list', 'chain', 'inet', 'vifwatch', 'guard'])).status,
        0,
      );
    },
    // Netback takes the first one.
    { daemon: false, quota: { nodes: 1000, watches: 1 } },
  );
});
