/** The operator's setting arp_ignore keeps net-vm from answering for the gateway's address. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { setSysctl } from '../../faults/in-namespace.ts';
import { gateway4 } from '../../rig/host.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { create, web } from '../../scenario/vms.ts';
import { status, withNetVm } from './net-vm.ts';

test.each(['1', '2'])('status and check name arp_ignore=%s and its remedy', (value) =>
  withNetVm(async (host) => {
    await create(host, web);
    await assertReaches({ host, from: web }, gateway4);
    const check = async () => (await host.inNetVm(['vifwatch', 'check'])).stdout;
    assert.match(await check(), /^ok {4}settings: /m);
    await setSysctl(host, 'ipv4/conf/all/arp_ignore', value);
    const problem = `arp_ignore is ${value}; run: sysctl -w net.ipv4.conf.all.arp_ignore=0`;
    const { healthy, daemon } = await status(host);
    assert.equal(healthy, false);
    assert.ok(daemon?.trouble?.includes(problem), daemon?.trouble ?? 'no trouble');
    assert.ok((await check()).includes(problem));
    await setSysctl(host, 'ipv4/conf/all/arp_ignore', '0');
    assert.ok((await status(host)).healthy);
    await assertReaches({ host, from: web }, gateway4);
  }),
);
