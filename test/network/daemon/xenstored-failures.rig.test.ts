/** xenstored hangs, dies, is absent or is full: the daemon ends and reports it, and the firewall stays. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import { isRunning } from '../../rig/sim/rig-directory.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { guestVm, serveOne, status, withNetVm } from './net-vm.ts';

/** Asserts that the daemon ends by itself with XENSTORE_HUNG soon after xenstored has fallen silent. */
const assertEnds = async (host: SimHost, silence: () => unknown): Promise<void> => {
  const pid = host.daemon.pid();
  const bound = await openBound(10_000);
  const start = performance.now();
  await silence();
  await until('the daemon ends', () => !isRunning(pid));
  await bound.assertKept(performance.now() - start, 'the end of the daemon');
  assert.match(host.daemon.log(), /"level":60.*"code":"XENSTORE_HUNG"/);
};

test.concurrent('xenstored hangs: the daemon ends within 10 s, and traffic continues', async () => {
  await withNetVm(async (host) => {
    await serveOne(host);
    const isConnected = async (): Promise<boolean> =>
      (await status(host)).vifs[0]?.phase === 'connected';
    await assertEnds(host, async () => {
      host.sim.xenstored.child.kill('SIGSTOP');
      assert.ok(await isConnected(), 'status works without xenstored');
    });
    await assertReaches({ host, from: guestVm }, gateway4, outside4);
    host.sim.xenstored.child.kill('SIGCONT');
    await host.startDaemon();
    await until('the vif is served again', isConnected);
  });
});

test.concurrent('oxenstored dies: the daemon ends within 10 s, and traffic continues', async () => {
  await withNetVm(
    async (host) => {
      await serveOne(host);
      // Over a ring, as on real Xen, the daemon sees only silence.
      await assertEnds(host, host.sim.xenstored.kill);
      await assertReaches({ host, from: guestVm }, gateway4, outside4);
    },
    { store: 'oxenstored' },
  );
});

test.concurrent('without xenstored, the daemon does not start and says why', async () => {
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

test.concurrent('a quota without a free watch: the daemon ends with a fatal log line, and the firewall is closed', async () => {
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
    // netback takes the only watch.
    { daemon: false, quota: { nodes: 1000, watches: 1 } },
  );
});
