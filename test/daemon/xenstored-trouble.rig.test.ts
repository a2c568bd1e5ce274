/** xenstored hangs, dies, is not there or has no room: the daemon ends and says so, and the firewall stands. */
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { gateway4, outside4 } from '../rig/host.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { assertReaches } from '../scenario/ping.ts';
import { until } from '../support/until.ts';
import { guestVm, serveOne, status, withNetVm } from './net-vm.ts';

/** Waits until the daemon has ended by itself, and returns the code it gave. */
const endsWith = async (host: SimHost, code: string): Promise<number> => {
  const start = performance.now();
  const pid = host.daemon.pid();
  await until('the daemon ends', () => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
  assert.match(host.daemon.log(), new RegExp(`"level":60.*"code":"${code}"`));
  return (performance.now() - start) / 1000;
};

describe.concurrent.each(['xenstored', 'oxenstored'] as const)('%s', (store) => {
  test('hangs: found within 10 s, the daemon ends, traffic goes on', async () => {
    await withNetVm(
      async (host) => {
        await serveOne(host);
        host.sim.xenstored.child.kill('SIGSTOP');
        const { stdout } = await host.inNetVm(['vifwatch', 'status', '--json']);
        assert.equal(JSON.parse(stdout).vifs[0].phase, 'connected');
        assert.ok((await endsWith(host, 'XENSTORE_HUNG')) < 10);
        await assertReaches({ host, from: guestVm }, gateway4, outside4);
        host.sim.xenstored.child.kill('SIGCONT');
        await host.startDaemon();
        assert.equal((await status(host)).vifs[0]?.phase, 'connected');
      },
      { store },
    );
  });

  test('dies: the daemon ends within 10 s, traffic goes on', async () => {
    await withNetVm(
      async (host) => {
        await serveOne(host);
        await host.sim.xenstored.kill();
        // Over a ring, as on real Xen, death is silence.
        assert.ok((await endsWith(host, 'XENSTORE_HUNG')) < 10);
        await assertReaches({ host, from: guestVm }, gateway4, outside4);
      },
      { store },
    );
  });
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
