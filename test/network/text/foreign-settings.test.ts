/** What vifwatch did not make on vifs, from the listings of ip. */
import { expect, test } from 'vitest';
import { foreignSettingsOf } from '../../../src/network/text/foreign-settings.ts';

test("the kernel's own addresses and routes, vifwatch's routes and other links are left out", () => {
  const found = foreignSettingsOf({
    addresses: [
      { ifname: 'vif3.0', addr_info: [{ local: 'fe80::fcff:ffff:feff:ffff', prefixlen: 64 }] },
      { ifname: 'eth0', addr_info: [{ local: '192.0.2.2', prefixlen: 24 }] },
    ],
    routes: [
      { dst: '10.0.5.3', dev: 'vif3.0', protocol: '86' },
      { dst: 'fe80::/64', dev: 'vif3.0', protocol: 'kernel' },
      { dst: 'ff00::/8', dev: 'vif3.0', protocol: 'kernel', type: 'multicast', table: 'local' },
      { dst: 'default', dev: 'eth0', gateway: '192.0.2.1' },
    ],
    ruled: new Set(['eth0']),
  });
  expect(found.size).toBe(0);
});

test('the first finding of each vif is named with its remedy', () => {
  const found = foreignSettingsOf({
    addresses: [{ ifname: 'vif3.0', addr_info: [{ local: '10.77.0.1', prefixlen: 24 }, {}] }],
    routes: [
      { dst: 'default', dev: 'vif3.0' },
      { dst: 'default', gateway: 'fe80::9', dev: 'vif4.0', protocol: 'ra', table: '7' },
    ],
    ruled: new Set(['vif3.0', 'vif5.0']),
  });
  expect(Object.fromEntries(found)).toEqual({
    'vif3.0': 'the address 10.77.0.1/24; remove it: ip address del 10.77.0.1/24 dev vif3.0',
    'vif4.0': 'a route to default; remove it: ip -6 route del default dev vif4.0 table 7',
    'vif5.0': 'a policy rule; find it with ip rule and ip -6 rule, and delete it',
  });
});

test('each way of a route with several is found', () => {
  const nexthops = [{ dev: 'eth0' }, { dev: 'vif3.0' }];
  const routes = [{ dst: '198.18.0.0/15', nexthops }];
  const found = foreignSettingsOf({ addresses: [], routes, ruled: new Set() });
  expect([...found.keys()]).toEqual(['vif3.0']);
});
