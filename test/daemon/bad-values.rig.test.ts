/** What dom0 or a guest can get wrong in one vif: that vif stays closed and says why, the others do not notice. */
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import {
  attachRaw,
  becomesConnected,
  becomesRefused,
  isUp,
  macOf,
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

describe.each(['xenstored', 'oxenstored'] as const)('with %s', (store) => {
  test('every bad value closes its own vif only, and the guest learns no more than the code', async () => {
    await withNetVm(
      async (host) => {
        const good = await host.create({ name: 'good' });
        await attachRaw(host, good, { ip: '10.0.5.200 fd00:5::200' });
        await becomesConnected(host, good);
        const guest = await host.create({ name: 'guest' });
        for (const [devid, [code, nodes]] of cases.entries()) {
          await attachRaw(host, guest, nodes, devid);
          const vif = await becomesRefused(host, guest, code, devid);
          assert.equal(vif?.error?.code, code);
          assert.equal(vif?.phase, 'error');
          assert.notEqual(await isUp(host, `vif${guest}.${devid}`), true);
        }
        const found = await status(host);
        assert.equal(found.healthy, false);
        assert.equal(found.vifs.find(({ domid }) => domid === good)?.phase, 'connected');
        assert.equal((await host.inNetVm(['vifwatch', 'status'])).status, 1);
      },
      { store, quota: { nodes: 9000, watches: 1000 } },
    );
  });
});

test('a vif that was refused is served once its cause is gone', async () => {
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

test('vifname and mtu are taken over; vif_ioemu is a vif; the script is never run', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create({ name: 'guest' });
    const mark = `${host.sim.directory}/script-ran`;
    const nodes = {
      vifname: 'vif-web',
      mtu: '1400',
      type: 'vif_ioemu',
      script: `/bin/touch ${mark}`,
    };
    await attachRaw(host, guest, nodes);
    await becomesConnected(host, guest);
    assert.equal(await isUp(host, 'vif-web'), true);
    const { stdout } = await host.inNetVm(['ip', '-o', 'link', 'show', 'vif-web']);
    assert.match(stdout, / mtu 1400 /);
    assert.equal(await host.read(`/local/domain/${guest}/device/vif/0/mtu`), '1400');
    assert.notEqual((await host.inNetVm(['test', '-e', mark])).status, 0);
    const taken = await host.create({ name: 'other' });
    await attachRaw(host, taken, { vifname: 'vif-web', mac: macOf(9) });
    await becomesRefused(host, taken, 'LINK_NAME_TAKEN');
  });
});

test('an address that only the guest names is used as far as the configuration allows', async () => {
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
      // Nobody watches what guests write: their next event, or a restart, makes it count.
      await host.signalDaemon('SIGTERM');
      await host.startDaemon();
      const [trusted = 0, stranger = 0] = (await status(host)).vifs.map(({ domid }) => domid);
      await becomesConnected(host, trusted);
      await becomesRefused(host, stranger, 'ADDRESS_UNCONFIRMED');
    },
    { config },
  );
});
