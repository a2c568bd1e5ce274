/** Another program switches forwarding off. The daemon must switch it on again, or report it. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { withNetVm } from '../network/daemon/net-vm.ts';
import { outside4, outside6 } from '../rig/host.ts';
import { assertReaches } from '../scenario/ping.ts';
import { create, web } from '../scenario/vms.ts';
import { isHealthy, reactionMs, setSysctl, sysctl, within } from './in-namespace.ts';
import { fault } from './known.ts';

test.fails.each([
  ['ipv4/ip_forward', outside4],
  ['ipv6/conf/all/forwarding', outside6],
  ['ipv4/conf/vif3.0/forwarding', outside4],
  ['ipv6/conf/vif3.0/forwarding', outside6],
  ['ipv4/conf/all/forwarding', outside4],
])(fault('forwarding', '%s = 0 is restored or reported'), (key, target) =>
  withNetVm(async (host) => {
    await create(host, web);
    await assertReaches({ host, from: web }, target);
    await setSysctl(host, key, 0);
    const isRestored = await within(reactionMs, async () => (await sysctl(host, key)) === '1');
    assert.ok(isRestored || !(await isHealthy(host)), `${key} stays 0, and nothing reports it`);
  }),
);
