import { expect, test } from 'vitest';
import { attachmentsOf } from '../../../src/network/text/attachments.ts';

const vif = { ifindex: 3, ifname: 'vif3.0' };
const other = { ifindex: 4, ifname: 'vif4.0' };

test.each([
  [
    'a master',
    [{ ...vif, master: 'br0' }],
    /^the master br0; .*: ip link set dev vif3\.0 nomaster$/,
  ],
  [
    'a link on top of it',
    [vif, { ifindex: 9, ifname: 'mv0', link: 'vif3.0' }],
    /^the link mv0 on top of it; .*: ip link delete dev mv0$/,
  ],
  ['an XDP program', [{ ...vif, xdp: { mode: 1 } }], /XDP.*: ip link set dev vif3\.0 xdp off$/],
])('%s is an attachment of its own link only', (_, links, text) => {
  const found = attachmentsOf([...links, other], new Set());
  expect([...found]).toEqual([['vif3.0', expect.stringMatching(text)]]);
});

test('a qdisc for arriving packets is an attachment', () => {
  const found = attachmentsOf([vif, other], new Set([3, 77]));
  expect([...found]).toEqual([['vif3.0', expect.stringMatching(/: tc qdisc delete dev vif3\.0/)]]);
});

test('the ends of a veth, and links other than vifs, have no attachment', () => {
  const links = [
    { ...vif, link: 'veth0' },
    { ifindex: 5, ifname: 'veth0', link: 'vif3.0' },
    { ifindex: 6, ifname: 'eth0', master: 'br0' },
    { ifindex: 7, ifname: 'eth0.5', link: 'eth0' },
  ];
  expect(attachmentsOf(links, new Set([6])).size).toBe(0);
});
