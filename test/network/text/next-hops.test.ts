import { expect, test } from 'vitest';
import { nextHopsOf } from '../../../src/network/text/next-hops.ts';

test('each route that does not lead through a vif gives its next hops', () => {
  const routes = [
    { dst: 'default', gateway: '192.0.2.1', dev: 'eth0' },
    { dst: '198.51.100.0/24', via: { host: 'fe80::9' }, dev: 'eth0' },
    { dst: 'default', nexthops: [{ gateway: '192.0.2.7', dev: 'eth0' }, { dev: 'ppp0' }] },
    { dst: '10.9.0.0/24', gateway: '169.254.0.1', dev: 'vif3.0' },
    { dst: '192.0.2.0/24', dev: 'eth0' },
  ];
  expect(Object.fromEntries(nextHopsOf(routes))).toEqual({
    '192.0.2.1': "the next hop 192.0.2.1 of net-vm's route to default",
    'fe80::9': "the next hop fe80::9 of net-vm's route to 198.51.100.0/24",
    '192.0.2.7': "the next hop 192.0.2.7 of net-vm's route to default",
  });
});
