import { expect, test } from 'vitest';
import { settingsOf } from '../../../src/network/text/netconf.ts';

const entry = (family: string, name: string, forwarding: boolean, proxy_neigh = false) => ({
  ...{ family, interface: name, forwarding, proxy_neigh },
});

const wrongOf = (...listed: ReturnType<typeof entry>[]) => {
  const { wrong, forwardingOff } = settingsOf(listed);
  const ofLinks = [...wrong].map(([link, settings]) => [link, [...settings]]);
  return { forwardingOff, ...Object.fromEntries(ofLinks) };
};

test('a link has the settings that a vif needs, or the wrong ones are named', () => {
  const listed = [
    ...[entry('inet', 'all', true), entry('inet6', 'all', true), entry('inet', 'default', false)],
    ...[entry('inet', 'vif3.0', true), entry('inet6', 'vif3.0', true, true)],
    ...[entry('inet', 'vif4.0', false), entry('inet6', 'vif4.0', false)],
  ];
  expect(wrongOf(...listed)).toEqual({
    forwardingOff: [],
    'vif3.0': [],
    'vif4.0': ['ipv4 forwarding', 'ipv6 forwarding', 'ipv6 proxy_ndp'],
  });
});

test('forwarding that is off for the host is not named for each link', () => {
  const listed = [entry('inet', 'all', false), entry('inet', 'vif3.0', false)];
  expect(wrongOf(...listed, entry('inet6', 'vif3.0', false, true))).toEqual({
    forwardingOff: ['ipv4'],
    'vif3.0': ['ipv6 forwarding'],
  });
});

test('a kernel without IPv6 has nothing wrong about it', () => {
  expect(wrongOf(entry('inet', 'all', true), entry('inet', 'vif3.0', true))).toEqual({
    forwardingOff: [],
    'vif3.0': [],
  });
});
