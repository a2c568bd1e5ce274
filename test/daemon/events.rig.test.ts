/** The contract with the toolstack and netback, where order, loss or replacement could hurt. */
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { gateway4 } from '../rig/host.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { backendPath, removeVif, writeVif } from '../rig/sim/toolstack.ts';
import { startXlDevd } from '../rig/sim/xl-devd.ts';
import { assertReaches } from '../scenario/ping.ts';
import { slowness } from '../support/slowness.ts';
import { until } from '../support/until.ts';
import {
  attachRaw,
  backend,
  becomesConnected,
  becomesRefused,
  isUp,
  kernelState,
  macOf,
  place,
  status,
  withNetVm,
} from './net-vm.ts';

const isGone = (host: SimHost, path: string) => async (): Promise<boolean> =>
  (await host.read(path)) === undefined;

const nothingLeft = async (host: SimHost, before: string): Promise<void> => {
  await until('the kernel is as before', async () => (await kernelState(host)) === before);
};

describe.each(['xenstored', 'oxenstored'] as const)('with %s', (store) => {
  test('dom0 prunes the watched root; the next vif is seen all the same', async () => {
    await withNetVm(
      async (host) => {
        const before = await kernelState(host);
        const guest = await host.create({ name: 'guest' });
        for (let round = 0; round < 3; round++) {
          await attachRaw(host, guest, {});
          await becomesConnected(host, guest);
          assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
          assert.equal(await host.read('/local/domain/2/backend'), undefined);
        }
        await nothingLeft(host, before);
      },
      { store },
    );
  });

  test('found at the start in any state, each vif ends as it would have if seen from the beginning', async () => {
    await withNetVm(
      async (host) => {
        const before = await kernelState(host).catch(() => '');
        assert.equal(before, '');
        const guest = await host.create({ name: 'guest' });
        const states = ['1', '2', '4', '5', '6'].flatMap((state) => [
          { state, online: '1' },
          { state, online: '0' },
        ]);
        await host.actors.hold();
        for (const [devid, nodes] of states.entries()) {
          const usual = { mac: macOf(guest, devid), ip: `10.0.5.1${devid}` };
          await writeVif(host.dom0, place(guest, devid), { ...usual, ...nodes });
        }
        await host.startDaemon();
        await until('the closed one is removed', isGone(host, backend(guest, 9)));
        const { vifs } = await status(host);
        const phases = vifs.map(({ devid, phase }) => `${devid}:${phase}`);
        assert.deepEqual(phases, [
          ...['0:waiting', '1:waiting', '2:waiting', '3:waiting', '4:waiting', '5:waiting'],
          ...['6:waiting', '7:closing', '8:waiting'],
        ]);
      },
      { store, daemon: false, quota: { nodes: 9000, watches: 1000 } },
    );
  });

  test('detach and attach of the same devid back to back: never a stale rule, never a stale "connected"', async () => {
    await withNetVm(
      async (host) => {
        const guest = await host.create({ name: 'guest' });
        for (let round = 0; round < 20; round++) {
          const ip = `10.0.5.${100 + round}`;
          await attachRaw(host, guest, { ip });
          await becomesConnected(host, guest);
          assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
        }
        await attachRaw(host, guest, { ip: '10.0.5.99' });
        await becomesConnected(host, guest);
        await until('only the last address is left', async () => {
          const left = (await kernelState(host)).match(/10\.0\.5\.\d+/g) ?? [];
          // The gateway's stays.
          return new Set(left).size === 2;
        });
        assert.equal(await isUp(host, `vif${guest}.0`), true);
      },
      { store },
    );
  });
});

test('soft reset: the same path with other values, at once and without an end of the old one', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create({ name: 'guest' });
    await attachRaw(host, guest, { ip: '10.0.5.20' });
    await becomesConnected(host, guest);
    await removeVif(host.dom0, place(guest), true);
    await attachRaw(host, guest, { ip: '10.0.5.21', mac: macOf(9) });
    await becomesConnected(host, guest);
    await until('the old values are gone', async () => {
      const state = await kernelState(host);
      return (
        !state.includes('10.0.5.20') && !state.includes(macOf(guest)) && state.includes('10.0.5.21')
      );
    });
  });
});

test('a vif that goes while its device is waited for leaves nothing, and nobody writes to its place', async () => {
  await withNetVm(
    async (host) => {
      const before = await kernelState(host);
      const guest = await host.create({ name: 'guest' });
      await attachRaw(host, guest, {});
      assert.deepEqual(await removeVif(host.dom0, place(guest), true), []);
      assert.equal(await host.read(backendPath(place(guest))), undefined);
      await nothingLeft(host, before);
    },
    { netdev: 3_000 },
  );
});

test.concurrent('a device that comes late is served when it comes; one that never comes is an error after 10 s', async () => {
  await withNetVm(
    async (host) => {
      const guest = await host.create({ name: 'guest' });
      await attachRaw(host, guest, {});
      await becomesConnected(host, guest);
    },
    { netdev: 2_000 },
  );
  await withNetVm(
    async (host) => {
      const guest = await host.create({ name: 'guest' });
      await attachRaw(host, guest, {});
      await until('9 s have passed quietly', async () => {
        const [vif] = (await status(host)).vifs;
        return vif?.phase === 'waiting';
      });
      const vif = await becomesRefused(host, guest, 'LINK_MISSING').catch(() =>
        becomesRefused(host, guest, 'LINK_MISSING'),
      );
      assert.equal(vif?.phase, 'error');
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
    const patienceMs = 900 * (await slowness());
    for (const devid of [0, 1, 2]) {
      const began = performance.now();
      await attachRaw(host, guest, {}, devid);
      await becomesConnected(host, guest, devid);
      assert.ok(performance.now() - began < patienceMs, `${performance.now() - began} ms`);
    }
    const { vifs } = await status(host);
    assert.equal(vifs.find(({ devid }) => devid === 9)?.phase, 'waiting');
  });
});

test.concurrent('other kinds of backend are not touched', async () => {
  await withNetVm(async (host) => {
    const disk = '/local/domain/2/backend/vbd/3/51712';
    const owner = [
      { domid: 2, read: false, write: false },
      { domid: 3, read: true, write: false },
    ];
    await host.dom0.write(disk, '');
    await host.dom0.setPermissions(disk, owner);
    const nodes = { state: '6', online: '0', 'frontend-id': '3' };
    for (const [node, value] of Object.entries(nodes))
      await host.dom0.write(`${disk}/${node}`, value);
    const guest = await host.create({ name: 'guest' });
    await attachRaw(host, guest, {});
    await becomesConnected(host, guest);
    assert.deepEqual(await host.dom0.list(disk), ['state', 'online', 'frontend-id']);
    assert.deepEqual(
      (await status(host)).vifs.map(({ domid }) => domid),
      [guest],
    );
  });
});

test('a link that somebody sets up before its rules stand is closed and carries nothing', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create({ name: 'guest' });
    await attachRaw(host, guest, { ip: undefined });
    await becomesRefused(host, guest, 'ADDRESS_MISSING');
    const link = `vif${guest}.0`;
    await until('the device is there', async () => (await isUp(host, link)) !== undefined);
    assert.equal((await host.inNetVm(['ip', 'link', 'set', link, 'up'])).status, 0);
    await until('it is down again', async () => (await isUp(host, link)) === false);
  });
});

test('xl devd may serve the other kinds beside it, if its script for vifs does nothing', async () => {
  await withNetVm(async (host) => {
    const devd = startXlDevd(host.sim, host.netVm);
    const before = await kernelState(host);
    for (let round = 0; round < 3; round++) {
      const vm = { name: 'guest' };
      const guest = await host.create(vm);
      await attachRaw(host, guest, { script: '/bin/true' });
      await becomesConnected(host, guest);
      await assertReaches({ host, from: vm }, gateway4);
      const { status: exit, seconds } = await host.destroy('guest');
      assert.equal(exit, 0);
      assert.ok(seconds < 3, `${seconds} s`);
    }
    await nothingLeft(host, before);
    await devd.kill();
  });
});
