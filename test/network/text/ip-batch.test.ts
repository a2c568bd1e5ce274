import { expect, test } from 'vitest';
import { dataplaneOfVif } from '../../../src/network/plan/dataplane-of-vif.ts';
import {
  bringUpLines,
  gatewayLine,
  neighbourRemoval,
  parseListings,
  renameLine,
  takeDownLines,
} from '../../../src/network/text/ip-batch.ts';
import { domidOf } from '../../support/domid.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { mac, prefix, vmPolicy } from '../store-fixture.ts';

const served = {
  ...({
    key: '3/0',
    domid: domidOf(3),
    devid: 0,
    defaultLink: linkNameOf('vif3.0'),
    link: linkNameOf('vif-web'),
    mtu: 1400,
  } as const),
  name: 'web',
  routed: true,
  hasIpv6: true,
  mac: mac('00:16:3e:00:03:00'),
  prefixes: ['10.0.5.3', '10.9.0.0/24', 'fd00:5::3', 'fd00:9::/64'].map(prefix),
  policy: vmPolicy,
};
const dataplane = dataplaneOfVif(served, [prefix('10.0.5.1'), prefix('fd00:5::1')]);
const opening = {
  ...{
    served,
    dataplane,
    mtu: 1400,
    missing: [...dataplane.elements.values()],
    replaced: [],
    chains: [],
    behind: [],
    open: true,
    stayDown: false,
  },
};

test('a vif is opened in this order: neighbours, link up, routes', () => {
  expect(renameLine(opening)).toBe('link set dev vif3.0 name vif-web alias vif3.0');
  expect(bringUpLines(opening)).toEqual([
    'link set dev vif-web mtu 1400',
    'neigh replace 10.0.5.3 lladdr 00:16:3e:00:03:00 nud permanent dev vif-web',
    'neigh replace 169.254.0.1 lladdr 00:16:3e:00:03:00 nud permanent dev vif-web',
    'neigh replace fd00:5::3 lladdr 00:16:3e:00:03:00 nud permanent dev vif-web',
    'neigh replace fe80::1 lladdr 00:16:3e:00:03:00 nud permanent dev vif-web',
    'neigh replace proxy fd00:5::1 dev vif-web',
    'link set dev vif-web up',
    'route replace 10.0.5.3 dev vif-web proto 86',
    'route replace 10.9.0.0/24 via 169.254.0.1 dev vif-web onlink proto 86',
    'route replace fd00:5::3 dev vif-web metric 1 proto 86',
    'route replace fd00:9::/64 via fe80::1 dev vif-web onlink metric 1 proto 86',
  ]);
});

test('a vif is closed in the reverse order', () => {
  const routes = [...opening.dataplane.routes.values()];
  const neighbours = [...opening.dataplane.neighbours.values()];
  expect(takeDownLines({ routes: routes.slice(0, 2), links: [linkNameOf('vif-web')] })).toEqual([
    'route del 10.0.5.3 dev vif-web proto 86',
    'route del 10.9.0.0/24 via 169.254.0.1 dev vif-web proto 86',
    'link set dev vif-web down',
  ]);
  expect(neighbours.map(neighbourRemoval).slice(-2)).toEqual([
    'neigh del fe80::1 dev vif-web',
    'neigh del proxy fd00:5::1 dev vif-web',
  ]);
});

test('gateway addresses are host addresses on lo', () => {
  expect(gatewayLine('10.0.5.1')).toBe('addr add 10.0.5.1/32 dev lo');
  expect(gatewayLine('fd00:5::1')).toBe('addr add fd00:5::1/128 nodad dev lo');
});

test('the output of ip -j gives the same keys as a dataplane', () => {
  const neighbour = (dst: string) => ({
    dst,
    dev: 'vif-web',
    lladdr: served.mac,
    state: ['PERMANENT'],
  });
  const observed = parseListings({
    links: JSON.stringify([
      { ifindex: 1, ifname: 'lo', flags: ['UP'], mtu: 65536 },
      { ifindex: 9, ifname: 'vif-web', flags: [], mtu: 1400, ifalias: 'vif3.0' },
    ]),
    addresses: JSON.stringify([
      { ifname: 'lo', addr_info: [{ local: '10.0.5.1' }, {}] },
      { ifname: 'vif-web', addr_info: [] },
    ]),
    routes: JSON.stringify([
      { dst: '10.0.5.3', dev: 'vif-web', protocol: '86', scope: 'link', flags: [] },
      { dst: 'default', gateway: '192.0.2.1', dev: 'eth0', flags: [] },
      {
        dst: '10.9.0.0/24',
        protocol: '86',
        gateway: '169.254.0.1',
        dev: 'vif-web',
        flags: ['onlink'],
      },
      {
        dst: 'fd00:9::/64',
        protocol: '86',
        gateway: 'fe80::1',
        dev: 'vif-web',
        metric: 1,
        flags: ['onlink'],
      },
      { dst: 'fd00:5::3', protocol: '86', dev: 'vif-web', metric: 1, flags: [], pref: 'medium' },
    ]),
    neighbours: JSON.stringify([
      ...['10.0.5.3', '169.254.0.1', 'fd00:5::3', 'fe80::1'].map(neighbour),
      { dst: '192.0.2.9', dev: 'eth0', lladdr: served.mac, state: ['PERMANENT'] },
    ]),
    proxies: JSON.stringify([{ dst: 'fd00:5::1', dev: 'vif-web', proxy: null }]),
    settings: { links: [{ name: 'vif-web', ipv4: new Int32Array(33) }], forwardingOff: [] },
    ruled: new Set(),
    tcLinks: (indices: readonly number[]) => new Set(indices),
    nameServers: ['192.0.2.53'],
  });
  expect([...observed.needed.keys()]).toEqual(['192.0.2.1', '192.0.2.53']);
  expect(new Set(observed.routes.values())).toEqual(new Set(opening.dataplane.routes.values()));
  expect(new Set(observed.neighbours.values())).toEqual(
    new Set(opening.dataplane.neighbours.values()),
  );
  expect(observed.links.get(linkNameOf('lo'))).toMatchObject({ up: true, addresses: ['10.0.5.1'] });
  expect(observed.links.get(linkNameOf('vif-web'))).toMatchObject({
    up: false,
    mtu: 1400,
    alias: 'vif3.0',
    attachment: expect.stringContaining('qdisc'),
  });
});
