/**
 * Another program in net-vm configures a vif as its own interface. The daemon must undo that, or report it.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'vitest';
import { withNetVm } from '../network/daemon/net-vm.ts';
import { outside4 } from '../rig/host.ts';
import { assertReaches, ping } from '../scenario/ping.ts';
import { create, mail, web } from '../scenario/vms.ts';
import { isHealthy, reactionMs, sh, shIn } from './in-namespace.ts';
import { fault } from './known.ts';

const beyond = '198.51.100.1';

const meddling: readonly (readonly [name: string, line: string, look: string])[] = [
  [
    'a default route over a vif',
    'ip route add default dev vif3.0 metric 0',
    'ip route show default dev vif3.0',
  ],
  [
    'half of a default route over a vif',
    'ip route add 128.0.0.0/1 dev vif3.0',
    'ip route show 128.0.0.0/1',
  ],
  [
    'an IPv4LL address on a vif',
    'ip addr add 169.254.7.7/16 dev vif3.0',
    'ip -4 -o addr show dev vif3.0',
  ],
  [
    'another address on a vif',
    'ip addr add 10.77.0.1/24 dev vif3.0',
    'ip -4 -o addr show dev vif3.0',
  ],
  [
    'a policy rule about a vif',
    'ip rule add iif vif3.0 lookup 99; ip route add default dev vif4.0 table 99',
    'ip rule | grep 99',
  ],
];

test.fails.each(meddling)(
  fault('shadowing-routes', '%s is removed or reported'),
  (_name, line, look) =>
    withNetVm(async (host) => {
      await create(host, web);
      await create(host, mail);
      await shIn(host, 'world', `ip addr add ${beyond}/32 dev lo`);
      await assertReaches({ host, from: mail }, beyond, outside4);
      // A DHCP client sets the uplink's default route in this way.
      await sh(
        host,
        'ip route replace default via 192.0.2.1 dev eth0 metric 100; ip route del default metric 0',
      );
      await assertReaches({ host, from: mail }, beyond);
      await sh(host, line);
      await delay(reactionMs);
      const left = await sh(host, `${look} || true`);
      const { received } = await ping({ host, from: mail }, beyond, 2);
      const isUndone = left === '' && received === 2;
      assert.ok(isUndone || !(await isHealthy(host)), `it stays, and nothing reports it: ${left}`);
    }),
);
