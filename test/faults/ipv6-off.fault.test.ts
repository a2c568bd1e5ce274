/** IPv6 is switched off in net-vm. IPv4 must work, and the daemon must not blame another program. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { attachRaw, status, withNetVm } from '../network/daemon/net-vm.ts';
import { gateway4, gateway6, outside4, outside6 } from '../rig/host.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { assertReaches, ping } from '../scenario/ping.ts';
import { create, web } from '../scenario/vms.ts';
import { isHealthy, setSysctl, within } from './in-namespace.ts';
import { fault } from './known.ts';

const switchOff = async (host: SimHost): Promise<void> => {
  for (const which of ['all', 'default'])
    await setSysctl(host, `ipv6/conf/${which}/disable_ipv6`, 1);
};

const blames = async (host: SimHost): Promise<boolean> =>
  /undoes each repair/.test((await status(host)).daemon?.trouble ?? '');

/** Watches the status for some time. */
const assertBlamesNobody = async (host: SimHost, ms: number): Promise<void> =>
  assert.ok(!(await within(ms, () => blames(host))), 'the daemon blames another program');

test.fails(fault('ipv6-off', 'IPv4 works if IPv6 is off before the daemon starts'), () =>
  withNetVm(
    async (host) => {
      await switchOff(host);
      await host.startDaemon();
      const both = { name: 'both' };
      await attachRaw(host, await host.create(both), { ip: '10.0.5.103 fd00:5::103' });
      await assertBlamesNobody(host, 4_000);
      assert.equal((await ping({ host, from: both }, outside4, 2)).received, 2);
    },
    { daemon: false },
  ),
);

test.fails(fault('ipv6-off', 'IPv4 works if IPv6 goes off while the daemon runs'), () =>
  withNetVm(async (host) => {
    await create(host, web);
    await assertReaches({ host, from: web }, gateway4, gateway6, outside4, outside6);
    await switchOff(host);
    await assertBlamesNobody(host, 6_000);
    assert.equal((await ping({ host, from: web }, outside4, 2)).received, 2);
    const isRestored = (await ping({ host, from: web }, gateway6, 2)).received === 2;
    assert.ok(isRestored || !(await isHealthy(host)), 'nothing reports it');
  }),
);
