/** dom0/attend restores domain-map entries and offer directories of VMs that come and go by themselves. */
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { until } from '../support/until.ts';
import { provisions, shells, wantedProvisions, withDom0 } from './dom0.ts';
import { isRunning } from './running.ts';

describe.concurrent.each(shells)('%s', (shell) => {
  test('a VM that reboots by itself gets its domain-map entry and directories back under its new domid', ({
    expect,
  }) =>
    withDom0(shell, async (dom0) => {
      assert.equal((await dom0.run('autostart', ['--parallel'])).status, 0);
      const before = dom0.domidOf('workload-vm');
      const attending = dom0.start('attend');
      await until('attend watches xenstore', () =>
        isRunning(dom0, 'xenstore-watch @introduceDomain'),
      );
      assert.match((await dom0.run('attend')).stderr, /another attend already runs/);
      const { tools, directory } = dom0;
      await dom0.sh(
        `${tools}/xl destroy workload-vm; ${tools}/xl create -p -q ${directory}/xl/workload-vm.cfg`,
      );
      assert.notEqual(dom0.domidOf('workload-vm'), before);
      await expect.poll(() => provisions(dom0)).toEqual(wantedProvisions(dom0));
      // init ends a service with SIGTERM.
      attending.child.kill('SIGTERM');
      await attending.ended;
      await until('the watch has ended', () => !isRunning(dom0, 'xenstore-watch'));
      assert.doesNotMatch(attending.log(), /refused|failed/);
    }));
});
