/** Vifs whose netdev comes late or never. */
import assert from 'node:assert/strict';
import { filter, firstValueFrom } from 'rxjs';
import { test } from 'vitest';
import type { ActorEvent } from '../../rig/sim/actors.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif, writeVif } from '../../rig/sim/toolstack.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import {
  attachRaw,
  backend,
  becomesConnected,
  becomesRefused,
  kernelState,
  macOf,
  place,
  status,
  withNetVm,
} from './net-vm.ts';

/** Resolves when netback reports the event for one of the guest's vifs. */
const netbackTells = (host: SimHost, what: ActorEvent['what'], guest: number): Promise<unknown> =>
  firstValueFrom(
    host.actors.events.pipe(filter((event) => event.what === what && event.guest === guest)),
  );

test('a vif that is removed while the daemon waits for its netdev leaves no kernel state and no nodes', async () => {
  await withNetVm(
    async (host) => {
      const before = await kernelState(host);
      const guest = await host.create({ name: 'guest' });
      const came = netbackTells(host, 'netdev', guest);
      const went = netbackTells(host, 'unregistered', guest);
      await attachRaw(host, guest, {});
      assert.deepEqual(await removeVif(host.dom0, place(guest), true), []);
      await came;
      await went;
      // Once another vif is served, the daemon has seen the link come and go.
      const other = await host.create({ name: 'other' });
      await attachRaw(host, other, {});
      await becomesConnected(host, other);
      assert.equal(await host.read(backend(guest)), undefined);
      assert.deepEqual(await removeVif(host.dom0, place(other)), []);
      await until('the kernel is as before', async () => (await kernelState(host)) === before);
    },
    { netdev: 1_000 },
  );
});

test.concurrent('a vif whose netdev comes late is served when the netdev comes', async () => {
  await withNetVm(
    async (host) => {
      const guest = await host.create({ name: 'guest' });
      const bound = await openBound(1_000);
      const came = netbackTells(host, 'netdev', guest);
      await attachRaw(host, guest, {});
      await came;
      const start = performance.now();
      await becomesConnected(host, guest);
      await bound.assertKept(performance.now() - start, 'the vif after its device has come');
    },
    { netdev: 2_000 },
  );
});

test.concurrent('a vif whose netdev never comes gets an error after 10 s, not earlier', async () => {
  await withNetVm(
    async (host) => {
      const guest = await host.create({ name: 'guest' });
      const bound = await openBound(1_000);
      const start = performance.now();
      await attachRaw(host, guest, {});
      const [waiting] = (await status(host)).vifs;
      assert.deepEqual([waiting?.phase, waiting?.error], ['waiting', null]);
      await until('the vif is in error', async () => {
        return (await host.read(`${backend(guest)}/hotplug-error`)) !== undefined;
      });
      const tookMs = performance.now() - start;
      const refused = await becomesRefused(host, guest, 'LINK_MISSING');
      assert.equal(refused?.phase, 'error');
      assert.ok(tookMs >= 10_000, `an error after only ${tookMs} ms`);
      await bound.assertKept(tookMs - 10_000, 'the error after the 10 s');
    },
    { netdev: 'never' },
  );
});

test.concurrent('a vif whose netdev never comes does not delay the others', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create({ name: 'guest' });
    // netback creates no netdev for this vif: it takes up only vifs in state 1.
    const stuck = { mac: macOf(guest, 9), ip: '10.0.5.99', state: '2' };
    await writeVif(host.dom0, place(guest, 9), stuck);
    // The daemon looks for the missing netdev again after 1 s: a vif that waits for it exceeds this bound.
    const bound = await openBound(900);
    for (const devid of [0, 1, 2]) {
      const start = performance.now();
      await attachRaw(host, guest, {}, devid);
      await becomesConnected(host, guest, devid);
      await bound.assertKept(performance.now() - start, `vif ${devid} beside the stuck one`);
    }
    const { vifs } = await status(host);
    assert.equal(vifs.find(({ devid }) => devid === 9)?.phase, 'waiting');
  });
});
