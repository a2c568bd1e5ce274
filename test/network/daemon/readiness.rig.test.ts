/** dom0 waits for the readiness node before it starts application VMs, so the node must be true. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { until } from '../../support/until.ts';
import { attachRaw, becomesConnected, status, withNetVm } from './net-vm.ts';
import { hang, withStandIn } from './stand-in.ts';

const node = '/local/domain/2/data/vifwatch/ready';

/** The daemon's first look at its loaded rules lasts as long as the flag exists. */
const slowStart = `case "$*" in "-j list table "*) ${hang};; esac`;

test('the node exists while the daemon serves vifs; after a kill, the next daemon removes it until it is ready', () =>
  withStandIn('nft', slowStart, async (host, flag) => {
    const isReady = async (): Promise<boolean> => (await host.read(node)) === 'ready';
    await until('the daemon is ready', isReady);
    await host.signalDaemon('SIGTERM');
    assert.equal(await host.read(node), undefined);

    await host.startDaemon();
    await until('the daemon is ready again', isReady);
    await host.signalDaemon('SIGKILL');
    assert.equal(await host.read(node), 'ready');
    flag.set();
    const takenBack = async (): Promise<void> => {
      await until('the stale node is removed', async () => (await host.read(node)) === undefined);
      flag.clear();
    };
    await Promise.all([host.startDaemon(), takenBack()]);
    await until('the daemon is ready once more', isReady);
  }));

test('a full quota does not keep the daemon from serving', () =>
  withNetVm(
    async (host) => {
      const guest = await host.create({ name: 'guest' });
      await attachRaw(host, guest, {});
      for (let count = 0; ; count += 1) {
        const filled = await host.inNetVm(['xenstore-write', `data/filler/${count}`, '']);
        if (filled.status !== 0) break;
        assert.ok(count < 100, 'the quota is never full');
      }
      await host.startDaemon();
      await becomesConnected(host, guest);
      const complaint = /dom0 does not learn that this domain is ready/;
      await until('the daemon logs it', () => complaint.test(host.daemon.log()));
      assert.equal(await host.read(node), undefined);
      assert.equal((await status(host)).healthy, true);
    },
    { daemon: false, quota: { nodes: 60, watches: 100 } },
  ));
