/** Another program changes the daemon's kernel state: without polling, the daemon repairs it within 1 s. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { assertRepaired, ours, whileStopped } from './assert-repaired.ts';
import { echo, send, sendsMore } from './flows.ts';
import { attachVifs, becomeConnected } from './many-vifs.ts';
import { guestVm, serveOne, status, withNetVm } from './net-vm.ts';

const promisedMs = 1_000;

const insert = (chain: string): string => `nft insert rule inet vifwatch ${chain} accept`;
const deleteFirst = (family: string, chain: string): string =>
  `nft delete rule ${family} vifwatch ${chain} handle $(nft -a list chain ${family} vifwatch ${chain} | sed -n "s/.*handle //p" | sed -n 2p)`;

test.each([
  [
    'whole tables',
    [
      'nft flush ruleset',
      ...['inet', 'arp', 'netdev'].map((family) => `nft delete table ${family} vifwatch`),
    ],
  ],
  [
    'rules',
    [
      'nft flush table inet vifwatch',
      deleteFirst('inet', 'forward'),
      insert('from_vif'),
      deleteFirst('arp', 'guard'),
      deleteFirst('netdev', 'frames'),
    ],
  ],
  [
    'chains',
    [
      "nft 'flush chain inet vifwatch guard; flush chain inet vifwatch to_vif'",
      "nft 'chain inet vifwatch forward { policy drop; }'",
      "nft 'delete chain inet vifwatch output'",
    ],
  ],
])('damage to the static rules is repaired within a second: %s', async (_what, commands) => {
  await withNetVm(async (host) => {
    await serveOne(host);
    await assertRepaired(host, commands);
    const losses = () => host.daemon.log().match(/"code":"FIREWALL_LOST"/g) ?? [];
    await until('each loss is logged', () => losses().length >= commands.length);
    assert.equal(losses().length, commands.length);
    await assertReaches({ host, from: guestVm }, gateway4, outside4);
    assert.equal((await status(host)).healthy, true);
  });
});

/** The chain for packets from all VMs without a policy. */
const policyChain =
  '$(nft list map inet vifwatch out | grep -o "out-internet-[0-9a-f]*" | head -1)';

/** `LINK` and the `D` in addresses stand for a vif that no other command has damaged. */
const damages = [
  'ip link set LINK down',
  'ip link set LINK mtu 1300',
  'ip neigh del 10.0.5.D dev LINK',
  'ip neigh replace 10.0.5.D lladdr 00:16:3e:00:66:66 nud permanent dev LINK',
  'ip neigh replace fd00:5::D lladdr 00:16:3e:00:66:66 nud reachable dev LINK',
  'ip neigh flush dev LINK nud permanent',
  'ip neigh add 10.66.0.1 dev LINK lladdr 00:16:3e:00:66:66 nud permanent',
  'ip route del 10.0.5.D',
  'ip route del 10.9.D.0/24',
  'ip -6 route del fd00:5::D',
  'ip route flush dev LINK proto 86',
  'ip route add 10.66.0.0/16 dev LINK proto 86',
  'ip route replace 10.0.5.D dev eth0',
  'ip -6 route replace fd00:5::D dev eth0 metric 1',
  "nft delete element inet vifwatch mac '{ LINK . 00:16:3e:07:03:DD }'",
  "nft delete element inet vifwatch address4 '{ LINK . 10.0.5.D }'",
  "nft delete element inet vifwatch network4 '{ LINK . 10.9.D.0/24 }'",
  "nft delete element inet vifwatch live4 '{ 10.0.5.D }'",
  'nft delete element inet vifwatch out \'{ "LINK" }\'',
  'nft \'delete element inet vifwatch out { "LINK" }; add element inet vifwatch out { "LINK" : accept }\'',
  'nft add element inet vifwatch in \'{ "vif999.0" : accept }\'',
  'nft delete chain netdev vifwatch LINK',
  `nft flush chain inet vifwatch ${policyChain}`,
  `nft insert rule inet vifwatch ${policyChain} accept`,
  `nft replace rule inet vifwatch ${policyChain} handle $(nft -a list chain inet vifwatch ${policyChain} | sed -n "s/.*handle //p" | sed -n 2p) accept`,
  "nft delete element arp vifwatch sender '{ LINK . 00:16:3e:07:03:DD . 10.0.5.D }'",
  "nft add element inet vifwatch address4 '{ LINK . 10.66.0.1 }'",
  'nft add element inet vifwatch vif \'{ "vif999.1" comment "x" }\'',
  "nft add element inet vifwatch network4 '{ LINK . 10.66.0.1-10.66.0.5 }'",
  "nft add element inet vifwatch vm_network4 '{ 10.67.0.1-10.67.0.5 }'",
  'nft delete element inet vifwatch uplink \'{ "eth0" }\'',
  'nft flush set inet vifwatch address4',
  'ip addr del 10.0.5.1/32 dev lo',
];

test('damage to a vif is repaired within a second', async () => {
  await withNetVm(
    async (host) => {
      const guest = await host.create(guestVm);
      const vifs = damages.map((_, devid) => devid);
      const addresses = (d: number) => `10.0.5.1${d} fd00:5::1${d} 10.9.1${d}.0/24`;
      await attachVifs(host, guest, vifs, (d) => ({ ip: addresses(d), mtu: '1500' }));
      await becomeConnected(host, guest, vifs);
      await until('the daemon is healthy', async () => (await status(host)).healthy);
      const hex = (d: number) => d.toString(16).padStart(2, '0');
      const commands = damages.map((command, d) =>
        command
          .replaceAll('LINK', `vif${guest}.${d}`)
          .replaceAll('DD', hex(d))
          .replaceAll(/(?<=[.:])D/g, `1${d}`),
      );
      await assertRepaired(host, commands);
      assert.equal((await status(host)).healthy, true);
    },
    { idleGuests: true, quota: { nodes: 9000, watches: 1000 } },
  );
});

test('a flow that began while the rules were gone is cut when they are back', async () => {
  await withNetVm(async (host) => {
    const guest = await serveOne(host);
    const netVm = namespaceOf(host.netVm);
    // Another program's rules make the kernel track connections meanwhile.
    await inNetVm(host, [
      'nft',
      'table ip other { chain c { type filter hook input priority 0; ct state new accept; }; }',
    ]);
    const port = 22;
    const server = await echo(host, netVm, port);
    const flow = await send(host, namespaceOf(guest), '192.0.2.2', port);
    await sendsMore(flow, 50);
    assert.equal((await server.now()).seen, 0);
    const before = await ours(host);
    const bound = await openBound(promisedMs);
    await whileStopped(host, async () => {
      await inNetVm(host, ['nft', 'delete', 'table', 'inet', 'vifwatch']);
      await until('the flow passes', async () => (await server.now()).seen > 0);
    });
    const start = Date.now();
    // Until the vif's elements are back, none of the guest's packets pass anyway.
    await until('the vif has its rules again', async () => (await ours(host)) === before);
    await until('the flow is cut', async () => {
      const { sent } = await flow.now();
      await sendsMore(flow, 100);
      return (await server.now()).last < sent;
    });
    const openMs = (await server.now()).lastAt - start;
    console.info(`open for ${openMs.toFixed(0)} ms`);
    await bound.assertKept(openMs, 'the flow passes');
  });
});
