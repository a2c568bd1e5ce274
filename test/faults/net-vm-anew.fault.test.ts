/**
 * net-vm was created again, and each VM has a vif with devid 1 in the new net-vm. `autostart` must count the
 * VMs as served.
 */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { shells, withDom0 } from '../dom0/dom0.ts';
import { fault } from './known.ts';

test.fails.each(shells)(fault('net-vm-anew', 'VMs of a new net-vm count as served (%s)'), (shell) =>
  withDom0(shell, async (dom0) => {
    assert.equal((await dom0.run('autostart', ['--parallel'])).status, 0);
    await dom0.sh(`${dom0.tools}/xl destroy net-vm`);
    await dom0.run('autostart');
    const net = dom0.domidOf('net-vm');
    for (const vm of ['sa-vm', 'mgmt-vm']) {
      const domid = dom0.domidOf(vm);
      const place = `/local/domain/${net}/backend/vif/${domid}/1`;
      const vifs = `/libxl/${domid}/device/vif`;
      await dom0.sh(`xenstore-write ${vifs}/1/backend ${place} ${place}/state 4`);
      await dom0.sh(`xenstore-rm ${vifs}/0`);
    }
    const { status, stderr } = await dom0.run('autostart');
    assert.equal(status, 0, stderr);
  }),
);
