/**
 * The setting arp_ignore keeps net-vm from answering for the gateway's address. The gateway must answer, or
 * the daemon must report the setting.
 */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { withNetVm } from '../network/daemon/net-vm.ts';
import { gateway4 } from '../rig/host.ts';
import { assertReaches, ping } from '../scenario/ping.ts';
import { create, web } from '../scenario/vms.ts';
import { isHealthy, setSysctl } from './in-namespace.ts';
import { fault } from './known.ts';

test.fails.each(['1', '2'])(fault('arp-ignore', 'the gateway answers if arp_ignore=%s'), (value) =>
  withNetVm(async (host) => {
    await create(host, web);
    await assertReaches({ host, from: web }, gateway4);
    await setSysctl(host, 'ipv4/conf/all/arp_ignore', value);
    await host.inVm(web.name, ['ip', 'neigh', 'flush', 'all']);
    const { received } = await ping({ host, from: web }, gateway4, 3);
    const check = (await host.inNetVm(['vifwatch', 'check'])).stdout;
    const isReported = !(await isHealthy(host)) || check.includes('arp_ignore');
    assert.ok(received === 3 || isReported);
  }),
);
