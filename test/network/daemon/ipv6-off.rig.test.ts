/** IPv6 is switched off in net-vm. IPv4 must work, and the status must say what is off, and blame nobody. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { setSysctl } from '../../faults/in-namespace.ts';
import { gateway4, gateway6, outside4, outside6 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { assertReaches, ping } from '../../scenario/ping.ts';
import { create, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { attachRaw, status, withNetVm } from './net-vm.ts';

const switchIpv6 = async (host: SimHost, isOff: 0 | 1): Promise<void> => {
  for (const which of ['all', 'default'])
    await setSysctl(host, `ipv6/conf/${which}/disable_ipv6`, isOff);
};

const troubleOf = async (host: SimHost): Promise<string> =>
  (await status(host)).daemon?.trouble ?? '';

const hasNamedIt = (host: SimHost): Promise<void> =>
  until('the status names it', async () => /^net-vm has no IPv6/.test(await troubleOf(host)));

/** As often as another program would be blamed: more than five repairs. */
const assertBlamesNobody = (host: SimHost): void =>
  assert.doesNotMatch(host.daemon.log(), /likely another program|undoes each repair/);

test('IPv4 works if IPv6 is off before the daemon starts', () =>
  withNetVm(
    async (host) => {
      await switchIpv6(host, 1);
      await host.startDaemon();
      const both = { name: 'both' };
      await attachRaw(host, await host.create(both), { ip: '10.0.5.103 fd00:5::103' });
      await hasNamedIt(host);
      await assertReaches({ host, from: both }, outside4);
      assertBlamesNobody(host);
    },
    { daemon: false },
  ));

test('IPv4 works if IPv6 goes off while the daemon runs, and IPv6 works once it is on again', () =>
  withNetVm(async (host) => {
    await create(host, web);
    await assertReaches({ host, from: web }, gateway4, gateway6, outside4, outside6);
    await switchIpv6(host, 1);
    await hasNamedIt(host);
    assert.equal((await ping({ host, from: web }, outside4, 2)).received, 2);
    await switchIpv6(host, 0);
    await until('the gateway is there again', async () => (await troubleOf(host)) === '');
    await until('IPv6 works again', async () => {
      const { received } = await ping({ host, from: web }, gateway6, 1);
      return received === 1;
    });
  }));
