/** One vif has bad values from dom0 or the guest: it stays closed with an error code; other vifs work. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif } from '../../rig/sim/toolstack.ts';
import { until } from '../../support/until.ts';
import {
  attachRaw,
  backend,
  becomesConnected,
  becomesRefused,
  isUp,
  macOf,
  place,
  status,
  withNetVm,
} from './net-vm.ts';

const cases: readonly (readonly [string, Readonly<Record<string, string | undefined>>])[] = [
  ['ADDRESS_MISSING', { ip: undefined }],
  ['ADDRESS_MISSING', { ip: '' }],
  ['ADDRESS_INVALID', { ip: '10.0.5.300' }],
  ['ADDRESS_INVALID', { ip: '10.0.5.30/24' }],
  ['ADDRESS_INVALID', { ip: '$(reboot)' }],
  ['ADDRESS_INVALID', { ip: '10.0.5.30; ip link set eth0 down' }],
  ['ADDRESS_INVALID', { ip: '\u0001\u00ff'.repeat(900) }],
  ['ADDRESS_RESERVED', { ip: '10.0.5.1' }],
  ['ADDRESS_RESERVED', { ip: '192.0.2.2' }],
  ['ADDRESS_RESERVED', { ip: 'fd00:5::/64' }],
  ['ADDRESS_RESERVED', { ip: '127.0.0.1' }],
  ['ADDRESS_RESERVED', { ip: '0.0.0.0/0' }],
  ['ADDRESS_TAKEN', { ip: '10.0.5.200' }],
  ['ADDRESS_TAKEN', { ip: '10.0.5.192/26' }],
  ['MAC_INVALID', { mac: 'junk' }],
  ['MAC_INVALID', { mac: 'ff:ff:ff:ff:ff:ff' }],
  ['BACKEND_INVALID', { 'frontend-id': '9' }],
  ['BACKEND_INVALID', { type: 'tap' }],
  ['BACKEND_INVALID', { mtu: '-1' }],
  ['LINK_NAME_INVALID', { vifname: 'eth0' }],
];

/** Waits for the error code in xenstore; the guest can read nothing more about the cause. */
const isMarked = async (host: SimHost, guest: number, code: string, devid: number) => {
  const path = backend(guest, devid);
  await until(`vif ${guest}/${devid} has the code ${code}`, async () => {
    return (await host.read(`${path}/hotplug-error`)) === `vifwatch: ${code}`;
  });
  assert.equal(await host.read(`${path}/hotplug-status`), 'error');
};

describe.each(['xenstored', 'oxenstored'] as const)('with %s', (store) => {
  test('each bad value closes its own vif only, and the guest learns only the error code', async () => {
    await withNetVm(
      async (host) => {
        const good = await host.create({ name: 'good' });
        await attachRaw(host, good, { ip: '10.0.5.200 fd00:5::200' });
        await becomesConnected(host, good);
        const guest = await host.create({ name: 'guest' });
        for (const [devid, [, nodes]] of cases.entries())
          await attachRaw(host, guest, { ip: `10.0.5.${20 + devid}`, ...nodes }, devid);
        for (const [devid, [code]] of cases.entries()) await isMarked(host, guest, code, devid);
        const last = await host.create({ name: 'last' });
        await attachRaw(host, last, { ip: '10.0.5.201' });
        await becomesConnected(host, last);
        const found = await status(host);
        const reported = found.vifs.map((vif) => [vif.domid, vif.phase, vif.error?.code]);
        assert.deepEqual(reported, [
          [good, 'connected', undefined],
          ...cases.map(([code]) => [guest, 'error', code]),
          [last, 'connected', undefined],
        ]);
        assert.equal(found.healthy, false);
        assert.equal((await host.inNetVm(['vifwatch', 'status'])).status, 1);
        const { stdout } = await host.inNetVm(['ip', '-o', 'link']);
        const links = stdout.split('\n').filter((line) => line.includes(`: vif${guest}.`));
        // The kernel creates no link with a multicast MAC.
        assert.equal(links.length, cases.length - 1);
        for (const link of links) assert.doesNotMatch(link, /[<,]UP[,>]/);
      },
      { store, quota: { nodes: 9000, watches: 1000 } },
    );
  });
});

test('a refused vif is served once the cause is gone', async () => {
  await withNetVm(async (host) => {
    const [first, second] = [await host.create({ name: 'a' }), await host.create({ name: 'b' })];
    await attachRaw(host, first, { ip: '10.0.5.200' });
    await becomesConnected(host, first);
    await attachRaw(host, second, { ip: '10.0.5.200' });
    await becomesRefused(host, second, 'ADDRESS_TAKEN');
    await host.destroy('a');
    await becomesConnected(host, second);
    assert.equal(
      await host.read(`/local/domain/2/backend/vif/${second}/0/hotplug-error`),
      undefined,
    );
  });
});

test('vifname and mtu take effect, vif_ioemu counts as a vif, and the daemon never runs the script', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create({ name: 'guest' });
    const [script, mark] = [`${host.sim.directory}/script`, `${host.sim.directory}/script-ran`];
    writeFileSync(script, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    await attachRaw(host, guest, { vifname: 'vif-web', mtu: '1400', type: 'vif_ioemu', script });
    await becomesConnected(host, guest);
    assert.equal(await isUp(host, 'vif-web'), true);
    const { stdout } = await host.inNetVm(['ip', '-o', 'link', 'show', 'vif-web']);
    assert.match(stdout, / mtu 1400 /);
    assert.equal(await host.read(`/local/domain/${guest}/device/vif/0/mtu`), '1400');
    const taken = await host.create({ name: 'other' });
    await attachRaw(host, taken, { vifname: 'vif-web', mac: macOf(9) });
    await becomesRefused(host, taken, 'LINK_NAME_TAKEN');
    assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
    await becomesConnected(host, taken);
    assert.equal(existsSync(mark), false);
    assert.equal((await host.inNetVm([script, 'online'])).status, 0);
    assert.equal(existsSync(mark), true, 'the script leaves its mark when it runs');
  });
});

test('an address that only the guest names is used if the configuration allows it for that VM', async () => {
  const config = 'uplink = ["eth0"]\n[[vm]]\nname = "trusted"\naddresses = ["10.0.7.0/24"]\n';
  await withNetVm(
    async (host) => {
      const claims = { trusted: '10.0.7.7', stranger: '10.0.7.8' };
      for (const [name, ip] of Object.entries(claims)) {
        const guest = await host.create({ name });
        const write = ['xenstore-write', 'device/vif/0/ip', ip];
        await attachRaw(host, guest, { ip: undefined });
        await becomesRefused(host, guest, 'ADDRESS_MISSING');
        assert.equal((await host.inVm(name, write)).status, 0);
      }
      // The daemon does not watch guests' nodes: it reads them at the vif's next event or at its own start.
      await host.signalDaemon('SIGTERM');
      await host.startDaemon();
      const [trusted = 0, stranger = 0] = (await status(host)).vifs.map(({ domid }) => domid);
      await becomesConnected(host, trusted);
      await becomesRefused(host, stranger, 'ADDRESS_UNCONFIRMED');
    },
    { config },
  );
});
