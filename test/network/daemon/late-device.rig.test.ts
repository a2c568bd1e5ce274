/** Vifs whose network device comes late, or never. */
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

/** Resolves when netback tells it of the guest's first vif. */
const netbackTells = (host: SimHost, what: ActorEvent['what'], guest: number): Promise<unknown> =>
  firstValueFrom(
    host.actors.events.pipe(filter((event) => event.what === what && event.guest === guest)),
  );

test('a vif that goes while its device is waited for leaves nothing, and nobody writes to its place', async () => {
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
      // By the time that another vif is served, the daemon has seen the link come and go.
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

test.concurrent('a device that comes late is served when it comes', async () => {
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

test.concurrent('a device that never comes is an error after 10 s, and not before', async () => {
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

test.concurrent('one whose device never comes keeps nobody waiting', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create({ name: 'guest' });
    // netback takes up what it finds in state 1.
    const stuck = { mac: macOf(guest, 9), ip: '10.0.5.99', state: '2' };
    await writeVif(host.dom0, place(guest, 9), stuck);
    // After a second the daemon looks again for the device that is missing.
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
