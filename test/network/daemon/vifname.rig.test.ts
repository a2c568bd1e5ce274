/** A VM keeps its `vifname` when its domid changes: the old link of that name must not block the new one. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { gateway4 } from '../../rig/host.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { attachRaw, becomesConnected, isUp, macOf, status, withNetVm } from './net-vm.ts';

test('a VM that is destroyed and created again at once, five times, is never refused', async () => {
  await withNetVm(async (host) => {
    const nodes = { vifname: 'vif-web', ip: '10.0.5.30 fd00:5::30', mac: macOf(1) };
    for (let round = 0; round < 5; round++) {
      const guest = await host.create({ name: 'web' });
      await attachRaw(host, guest, nodes);
      await becomesConnected(host, guest);
      await assertReaches({ host, from: { name: 'web' } }, gateway4);
      assert.equal(await isUp(host, 'vif-web'), true);
      assert.equal((await status(host)).healthy, true);
      assert.equal((await host.destroy('web')).status, 0);
    }
    assert.doesNotMatch(host.daemon.log(), /"level":50/);
  });
});
