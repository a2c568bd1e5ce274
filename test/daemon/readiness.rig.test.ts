/** dom0 waits for a node before it starts application VMs: it must tell the truth. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { until } from '../support/until.ts';
import { withNetVm } from './net-vm.ts';

const node = '/local/domain/2/data/vifwatch/ready';

test('it is there while the daemon serves vifs, and a killed one’s is taken back before the next is ready', () =>
  withNetVm(
    async (host) => {
      const changes: string[] = [];
      const watching = host.dom0.watch(node).subscribe((path) => changes.push(path));
      assert.equal(await host.read(node), undefined);
      await host.startDaemon();
      await until('it is ready', async () => (await host.read(node)) === 'ready');
      await host.signalDaemon('SIGTERM');
      assert.equal(await host.read(node), undefined);

      await host.startDaemon();
      await until('it is ready again', async () => (await host.read(node)) === 'ready');
      await host.signalDaemon('SIGKILL');
      assert.equal(await host.read(node), 'ready');
      changes.length = 0;
      await host.startDaemon();
      await until('it was taken back and written', () => changes.length >= 2);
      await until('it is ready once more', async () => (await host.read(node)) === 'ready');
      watching.unsubscribe();
    },
    { daemon: false },
  ));

test('a full quota does not keep the daemon from serving', () =>
  withNetVm(
    async (host) => {
      for (let count = 0; ; count += 1) {
        const { status } = await host.inNetVm(['xenstore-write', `data/filler/${count}`, '']);
        if (status !== 0) break;
        assert.ok(count < 100, 'the quota is never full');
      }
      await host.startDaemon();
      const complaint = /dom0 does not learn that this domain is ready/;
      await until('it says so', () => complaint.test(host.daemon.log()));
      assert.equal(await host.read(node), undefined);
    },
    { daemon: false, quota: { nodes: 60, watches: 100 } },
  ));
