/**
 * A guest reboots, and xl gives it a new domain: dom0/attend restores its domain-map entry and directories.
 */
import assert from 'node:assert/strict';
import { assertReaches } from '../../scenario/ping.ts';
import { outside4 } from '../host.ts';
import { must } from './command.ts';
import { consoleNode } from './domains.ts';
import type { Stopwatch } from './facts.ts';
import type { LabHost } from './lab-host.ts';
import { auditDom0, becomesLinked, needMesh } from './mesh-host.ts';
import { startIn } from './processes.ts';
import { until } from './until.ts';

const vm = 'mgmt-vm';

export const vmRebootsByItself = async (host: LabHost, stopwatch: Stopwatch): Promise<void> => {
  await needMesh(host);
  const { inDom0 } = host;
  const before = await must(inDom0, ['xl', 'domid', vm]);
  const attend = await startIn(inDom0, ['/mesh/dom0/attend'], '/var/log/attend.log');
  // The reboot runs in the background so that the VM's agent can still answer.
  await host.inVm(vm, ['sh', '-c', 'reboot -f &']);
  const after = await until(
    async () => {
      const { status, stdout } = await inDom0(['xl', 'domid', vm]);
      const domid = stdout.trim();
      if (status !== 0 || domid === before) return undefined;
      const isNamed = (await host.read(`/ipc/domain-map/${vm}`)) === domid;
      // The terminal from xenconsoled appears last.
      return isNamed && (await host.read(consoleNode(domid))) ? domid : undefined;
    },
    () => `${vm} has no domain-map entry with a new domid`,
  );
  assert.equal(`${await host.register(vm)}`, after);
  await stopwatch.time('reboot_by_itself_s', () => becomesLinked(host, vm, 'sa-vm', 'net-vm'));
  await assertReaches({ host, from: { name: vm } }, outside4);
  assert.deepEqual(await auditDom0(host, 'ash'), []);
  await must(inDom0, ['kill', attend]);
  assert.notEqual((await inDom0(['pidof', 'xenstore-watch'])).status, 0);
};
