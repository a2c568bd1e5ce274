/** No VM gets the address of a router that net-vm needs. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { outside4 } from '../../rig/host.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { create, inNetVm, web } from '../../scenario/vms.ts';
import { attachRaw, becomesConnected, becomesRefused, withNetVm } from './net-vm.ts';

test("a VM with the uplink router's address is refused, and others still reach the outside", () =>
  withNetVm(async (host) => {
    await create(host, web);
    const [, router = ''] =
      /via (\S+)/.exec(await inNetVm(host, ['ip', 'route', 'show', 'default'])) ?? [];
    assert.notEqual(router, '');
    const thief = await host.create({ name: 'thief' });
    await attachRaw(host, thief, { ip: router });
    const entry = await becomesRefused(host, thief, 'ADDRESS_RESERVED');
    assert.match(entry?.error?.text ?? '', /overlaps the next hop .* of net-vm's route to default/);
    await assertReaches({ host, from: web }, outside4);
  }));

test('a connected VM is closed while net-vm needs its address, and served again afterwards', () =>
  withNetVm(async (host) => {
    const guest = await host.create({ name: 'guest' });
    await attachRaw(host, guest, { ip: '192.0.2.77' });
    await becomesConnected(host, guest);
    const route = ['198.51.100.0/24', 'via', '192.0.2.77', 'dev', 'eth0', 'onlink'];
    await inNetVm(host, ['ip', 'route', 'add', ...route]);
    await becomesRefused(host, guest, 'ADDRESS_RESERVED');
    await inNetVm(host, ['ip', 'route', 'del', ...route]);
    await becomesConnected(host, guest);
  }));
