/** The contract with the toolstack and netback: order, loss and replacement of events do no harm. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif, writeVif } from '../../rig/sim/toolstack.ts';
import { startXlDevd } from '../../rig/sim/xl-devd.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { placeWitness } from '../../scenario/witness.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { echo4, udp4 } from './frames.ts';
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
import { startFlood } from './sender.ts';

const isGone = (host: SimHost, path: string) => async (): Promise<boolean> =>
  (await host.read(path)) === undefined;

/** Asserts that the guest's first vif is up, and that this address is its only route and allowed source. */
const assertServedAs = async (host: SimHost, guest: number, ip: string): Promise<void> => {
  const link = `vif${guest}.0`;
  const listings = [`ip route show dev ${link}`, 'nft list set inet vifwatch source4'];
  const found = await inNetVm(host, ['sh', '-c', [...listings, 'ip -o link show up'].join(';')]);
  assert.deepEqual(found.match(/\b10\.0\.5\.\d+/g), [ip, ip]);
  assert.match(found, new RegExp(`: ${link}@`));
};

const nothingLeft = async (host: SimHost, before: string): Promise<void> => {
  await until('the kernel is as before', async () => (await kernelState(host)) === before);
};

describe.each(['xenstored', 'oxenstored'] as const)('with %s', (store) => {
  test('dom0 prunes the watched root: the next vif is still served', async () => {
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

  test('a vif that exists at the start, in any state, ends as if the daemon had seen it from the beginning', async () => {
    await withNetVm(
      async (host) => {
        const guest = await host.create({ name: 'guest' });
        const states = ['1', '2', '4', '5', '6'].flatMap((state) => [
          { state, online: '1' },
          { state, online: '0' },
        ]);
        await host.actors.deferVifs();
        for (const [devid, nodes] of states.entries()) {
          const usual = { mac: macOf(guest, devid), ip: `10.0.5.1${devid}` };
          await writeVif(host.dom0, place(guest, devid), { ...usual, ...nodes });
        }
        await host.startDaemon();
        await until('the closed vif is removed', isGone(host, backend(guest, 9)));
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

  test('detach and attach of the same devid back to back leave no stale rule and no stale "connected"', async () => {
    await withNetVm(
      async (host) => {
        const guest = await host.create({ name: 'guest' });
        for (let round = 0; round < 10; round++) {
          const ip = `10.0.5.${100 + round}`;
          await attachRaw(host, guest, { ip });
          await becomesConnected(host, guest);
          await assertServedAs(host, guest, ip);
          assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
        }
        await attachRaw(host, guest, { ip: '10.0.5.99' });
        await becomesConnected(host, guest);
        await until('only the last address is left', async () => {
          const left = (await kernelState(host)).match(/10\.0\.5\.\d+/g) ?? [];
          // The gateway's address stays.
          return new Set(left).size === 2;
        });
        await assertServedAs(host, guest, '10.0.5.99');
      },
      { store },
    );
  });
});

test('soft reset: a vif that is removed by force and comes back at once has only its new values', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create({ name: 'guest' });
    await attachRaw(host, guest, { ip: '10.0.5.20' });
    await becomesConnected(host, guest);
    assert.deepEqual(await removeVif(host.dom0, place(guest), true), []);
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

test.concurrent('the daemon does not touch other kinds of backends', async () => {
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
    const before = await host.dom0.tree(disk);
    assert.equal(before.get('state'), '6');
    const guest = await host.create({ name: 'guest' });
    await attachRaw(host, guest, {});
    await becomesConnected(host, guest);
    assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
    await attachRaw(host, guest, {});
    await becomesConnected(host, guest);
    assert.deepEqual(await host.dom0.tree(disk), before);
    assert.deepEqual(
      (await status(host)).vifs.map(({ domid }) => domid),
      [guest],
    );
  });
});

test('a link that another program sets up before its rules exist is set down and carries nothing', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create({ name: 'guest' });
    await attachRaw(host, guest, { ip: undefined });
    await becomesRefused(host, guest, 'ADDRESS_MISSING');
    const link = `vif${guest}.0`;
    await until('the netdev exists', async () => (await isUp(host, link)) !== undefined);
    const frame = { source: macOf(guest), from: '10.0.5.30', to: outside4 };
    const witness = await placeWitness(host, `ip saddr ${frame.from}`);
    const flood = await startFlood(host, guest, [
      udp4(frame, 7),
      echo4({ ...frame, to: gateway4 }, 7),
    ]);
    await until('frames come through the link', async () => {
      await inNetVm(host, ['ip', 'link', 'set', link, 'up']);
      const { drops } = await status(host);
      return (drops?.['unconfigured_vif'] ?? 0) > 100;
    });
    await until('the link is down again', async () => (await isUp(host, link)) === false);
    assert.equal(await witness.count(), 0);
    assert.ok((await flood.stop()) > 0);
    // The same frames pass once dom0 has given this address to the guest.
    await host.dom0.write(`${backend(guest)}/ip`, frame.from);
    await becomesConnected(host, guest);
    await host.sendFrames('guest', [udp4(frame, 7)]);
    await until('the witness sees the frame', async () => (await witness.count()) > 0);
  });
});

test('xl devd may serve other kinds of backends beside the daemon if its script for vifs does nothing', async () => {
  await withNetVm(async (host) => {
    startXlDevd(host.sim, host.netVm);
    const script = `${host.sim.directory}/nothing`;
    const calls = `${host.sim.directory}/calls`;
    writeFileSync(script, `#!/bin/sh\necho "$1" >>${calls}\n`, { mode: 0o755 });
    const before = await kernelState(host);
    for (let round = 0; round < 3; round++) {
      const vm = { name: 'guest' };
      const guest = await host.create(vm);
      await attachRaw(host, guest, { script });
      await becomesConnected(host, guest);
      await assertReaches({ host, from: vm }, gateway4);
      const bound = await openBound(3_000);
      const { status: exit, seconds } = await host.destroy('guest');
      assert.equal(exit, 0);
      await bound.assertKept(seconds * 1000, 'xl destroy');
    }
    await nothingLeft(host, before);
    // xl devd called the script; vifwatch never does.
    assert.match(readFileSync(calls, 'utf8'), /^online$/m);
  });
});
