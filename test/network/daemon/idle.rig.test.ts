/** Changes without damage cost the daemon almost no processor time, and it still notices damage. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { cpuSeconds } from '../../rig/process.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { assertRepaired, ours } from './assert-repaired.ts';
import { attachVifs, becomeConnected, detachVifs, devidsUpTo } from './many-vifs.ts';
import { attachRaw, becomesConnected, guestVm, macOf, serveOne, withNetVm } from './net-vm.ts';

type Cpu = ReturnType<typeof cpuSeconds>;

/** Processor time in seconds that the daemon and its child programs use while the body runs. */
const usedBy = async (host: SimHost, body: () => Promise<void>): Promise<Cpu> => {
  const before = cpuSeconds(host.daemon.pid());
  await body();
  const { own, children } = cpuSeconds(host.daemon.pid());
  return { own: own - before.own, children: children - before.children };
};

test("changes in other programs' tables leave the daemon idle", async () => {
  await withNetVm(async (host) => {
    await serveOne(host);
    await inNetVm(host, [
      'nft',
      'table ip site { set banned { type ipv4_addr; flags interval; }; }',
    ]);
    const before = cpuSeconds(process.pid).children;
    const { own, children } = await usedBy(host, async () => {
      for (let round = 0; round < 40; round++) {
        const element = `ip site banned { 10.66.${round}.0/24 }`;
        await inNetVm(host, ['nft', `add element ${element}`]);
        await inNetVm(host, ['nft', `delete element ${element}`]);
      }
    });
    const [used, theirs] = [own + children, cpuSeconds(process.pid).children - before];
    // A daemon that looked at each change would use about three times as much as these commands do.
    const what = `${used} s of processor time where the nft commands used ${theirs} s`;
    console.info(what);
    assert.ok(used < theirs / 2, what);
    await assertRepaired(host, ['nft flush table inet vifwatch']);
  });
});

/** When many vifs go, the monitor of nft 1.0.6 crashes or prints megabytes. */
test('the removal of many vifs leaves the daemon idle, and it still notices damage', async () => {
  await withNetVm(
    async (host) => {
      const guest = await host.create(guestVm);
      await attachRaw(host, guest, { ip: '10.0.5.3' });
      await becomesConnected(host, guest);
      const devids = devidsUpTo(41).slice(1);
      for (let round = 0; round < 2; round++) {
        const coming = await usedBy(host, async () => {
          await attachVifs(host, guest, devids);
          await becomeConnected(host, guest, devids);
        });
        const going = await usedBy(host, async () => {
          assert.deepEqual(await detachVifs(host, guest, devids), []);
          await until(
            "the vifs' rules are gone",
            async () => !/vif\d+\.[1-9]/.test(await ours(host)),
          );
        });
        await assertRepaired(host, [
          `nft delete element inet vifwatch mac '{ vif${guest}.0 . ${macOf(guest)} }'`,
        ]);
        const what = `${going.own} s of processor time for the removal, ${coming.own} s for the arrival`;
        console.info(what);
        assert.ok(going.own < 5 * coming.own, what);
      }
    },
    { idleGuests: true, quota: { nodes: 9000, watches: 1000 } },
  );
});
