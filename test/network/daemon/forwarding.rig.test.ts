/** Another program switches forwarding off, for the host or a link. The daemon switches it on again. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { setSysctl, sysctl } from '../../faults/in-namespace.ts';
import { outside4, outside6 } from '../../rig/host.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { create, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { status, withNetVm } from './net-vm.ts';

test.concurrent.each([
  ['ipv4/ip_forward', outside4],
  ['ipv4/conf/all/forwarding', outside4],
  ['ipv4/conf/VIF/forwarding', outside4],
  ['ipv4/conf/eth0/forwarding', outside4],
  ['ipv6/conf/all/forwarding', outside6],
  ['ipv6/conf/VIF/forwarding', outside6],
  ['ipv6/conf/eth0/forwarding', outside6],
  ['ipv6/conf/VIF/proxy_ndp', outside6],
])('%s = 0 is restored and logged', (template, target) =>
  withNetVm(async (host) => {
    const key = template.replace('VIF', `vif${await create(host, web)}.0`);
    await assertReaches({ host, from: web }, target);
    const logged = host.daemon.log().length;
    await setSysctl(host, key, 0);
    await until('the setting is restored', async () => (await sysctl(host, key)) === '1');
    await assertReaches({ host, from: web }, target);
    assert.match(host.daemon.log().slice(logged), /likely another program/);
    assert.ok((await status(host)).healthy);
  }),
);
