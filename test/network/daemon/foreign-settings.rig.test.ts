/** Another program in net-vm configures a vif as its own interface. The vif's status must name that, and the remedy. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { sh } from '../../faults/in-namespace.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { create, mail, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { status, withNetVm } from './net-vm.ts';

/** Each with the command that the problem's text must name, or the start of the text that names no command. */
const meddling: readonly (readonly [name: string, line: string, undo: string])[] = [
  [
    'a default route',
    'ip route add default dev vif3.0 metric 7',
    'ip route del default dev vif3.0',
  ],
  [
    'half of a default route',
    'ip route add 128.0.0.0/1 dev vif3.0',
    'ip route del 128.0.0.0/1 dev vif3.0',
  ],
  ['an IPv6 route', 'ip -6 route add 2000::/3 dev vif3.0', 'ip -6 route del 2000::/3 dev vif3.0'],
  [
    'a route of another table',
    'ip route add default dev vif3.0 table 99',
    'ip route del default dev vif3.0 table 99',
  ],
  [
    'one way of a route with two',
    'ip route add 198.18.0.0/15 nexthop dev vif3.0 nexthop dev vif4.0',
    'a route to 198.18.0.0/15',
  ],
  [
    'an IPv4LL address',
    'ip addr add 169.254.7.7/16 dev vif3.0',
    'ip address del 169.254.7.7/16 dev vif3.0',
  ],
  [
    'an IPv6 address',
    'ip addr add 2001:db8::7/64 dev vif3.0',
    'ip address del 2001:db8::7/64 dev vif3.0',
  ],
  ['a policy rule for IPv4', 'ip rule add iif vif3.0 lookup 99', 'a policy rule'],
  ['a policy rule for IPv6', 'ip -6 rule add oif vif3.0 lookup 99', 'a policy rule'],
];

const removals = new Map([
  ['a policy rule for IPv4', 'ip rule del iif vif3.0 lookup 99'],
  ['a policy rule for IPv6', 'ip -6 rule del oif vif3.0 lookup 99'],
  ['one way of a route with two', 'ip route del 198.18.0.0/15'],
]);

const errorsOf = async (host: SimHost) =>
  new Map((await status(host)).vifs.map(({ link, error }) => [link, error]));

test('status names an address, route or rule of another program on a vif until it is gone', () =>
  withNetVm(async (host) => {
    await create(host, web);
    await create(host, mail);
    for (const [name, line, undo] of meddling) {
      await sh(host, line);
      await until(`the status names ${name}`, async () => {
        const error = (await errorsOf(host)).get('vif3.0');
        return error?.code === 'FOREIGN_SETTING' && error.text.includes(undo);
      });
      await sh(host, removals.get(name) ?? undo);
      await until(`the status no longer names ${name}`, async () =>
        [...(await errorsOf(host)).values()].every((error) => error === null),
      );
    }
    assert.ok((await status(host)).healthy);
  }));
