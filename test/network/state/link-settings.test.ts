/** The settings of links, from what the kernel says about them. */
import { expect, test } from 'vitest';
import { isIpv6OffIn, wrongSettingsOf } from '../../../src/network/state/link-settings.ts';
import { linkNameOf } from '../../support/link-name.ts';

/** @param values by their numbers in linux/ip.h, which begin with 1 */
const ipv4 = (values: Readonly<Record<number, number>>): Int32Array => {
  const array = new Int32Array(33);
  for (const [number, value] of Object.entries(values)) array[Number(number) - 1] = value;
  return array;
};

/** @param values by their numbers in linux/ipv6.h, which begin with 0 */
const ipv6 = (values: Readonly<Record<number, number>>): Int32Array => {
  const array = new Int32Array(60);
  for (const [number, value] of Object.entries(values)) array[Number(number)] = value;
  return array;
};

const name = 'vif3.0';
const [forwarding, rpFilter, proxyNdp] = [1, 8, 22];
const hardened = {
  ...{ name, ipv4: ipv4({ [forwarding]: 1, [rpFilter]: 1 }) },
  ...{ ipv6: ipv6({ 0: 1, [proxyNdp]: 1 }), proxyDelayMs: 0 },
};

const wrongOf = (
  link: Parameters<typeof wrongSettingsOf>[0]['links'][number],
  forwardingOff: readonly ('ipv4' | 'ipv6')[] = [],
) => wrongSettingsOf({ links: [link], forwardingOff }).get(linkNameOf(name));

test('a hardened link has nothing wrong, apart from IPv6 if its vif has none', () => {
  expect(wrongOf(hardened)).toEqual({ withIpv6: [], withoutIpv6: ['ipv6 disable_ipv6'] });
});

test('a new link has the wrong settings of both families', () => {
  const values = { ipv4: ipv4({ 4: 1, 6: 1, 9: 1 }), ipv6: ipv6({ 3: 1, 4: 1, 5: 1, 27: 1 }) };
  expect(wrongOf({ name, ...values, proxyDelayMs: 800 })?.withIpv6).toEqual([
    ...['ipv4 forwarding', 'ipv4 rp_filter', 'ipv4 accept_redirects', 'ipv4 send_redirects'],
    ...['ipv4 accept_source_route', 'ipv6 forwarding', 'ipv6 accept_ra', 'ipv6 accept_redirects'],
    ...['ipv6 autoconf', 'ipv6 accept_dad', 'ipv6 proxy_ndp', 'ipv6 proxy_delay'],
  ]);
});

test('forwarding that is off for the host is not named for each link', () => {
  const link = { ...hardened, ipv4: ipv4({ [rpFilter]: 1 }), ipv6: ipv6({ [proxyNdp]: 1 }) };
  expect(wrongOf(link, ['ipv4'])?.withIpv6).toEqual(['ipv6 forwarding']);
});

test('a link without IPv6 has nothing wrong about it', () => {
  expect(wrongOf({ name, ipv4: hardened.ipv4 })).toEqual({ withIpv6: [], withoutIpv6: [] });
});

test('net-vm has no IPv6 if the kernel or lo has none', () => {
  const isOff = (lo: object): boolean =>
    isIpv6OffIn({ links: [{ name: 'lo', ipv4: ipv4({}), ...lo }], forwardingOff: [] });
  expect(isOff({})).toBe(true);
  expect(isOff({ ipv6: ipv6({ 26: 1 }) })).toBe(true);
  expect(isOff({ ipv6: ipv6({}) })).toBe(false);
});
