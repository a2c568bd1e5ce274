/** Somebody else changes what is ours in the kernel: it is noticed without polling and repaired within a second. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { gateway4, outside4 } from '../rig/host.ts';
import { cpuSeconds } from '../rig/process.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { assertReaches } from '../scenario/ping.ts';
import { inNetVm } from '../scenario/vms.ts';
import { slowness } from '../support/slowness.ts';
import { until } from '../support/until.ts';
import { attachCrowd, becomeConnected, detachCrowd, devidsUpTo } from './crowd.ts';
import { echo, send, sendsMore } from './flows.ts';
import {
  attachRaw,
  becomesConnected,
  guestVm,
  macOf,
  serveOne,
  status,
  withNetVm,
} from './net-vm.ts';

const promisedMs = 1_000;

const listings = [
  ...['inet', 'arp', 'netdev'].map((family) => `nft -s list table ${family} vifwatch`),
  'ip -o link show up',
  ...['ip route show table all proto 86', 'ip neigh show nud permanent', 'ip neigh show proxy'],
  'ip addr show dev lo',
].join(';');

/** All that is ours, without what others do beside it. */
const ours = async (host: SimHost): Promise<string> => {
  const { stdout } = await host.inNetVm(['sh', '-c', listings]);
  const facts = stdout
    .replaceAll(/ linkdown|^\d+: |(qdisc|state|link\/ether) .*$/gm, '')
    .replaceAll(/<[^>]*>/g, '')
    .split(/\n|, | = \{ | \}/)
    .map((fact) => fact.trim().replace(/,$/, ''));
  return facts.sort().join('\n');
};

/** Damages, and resolves with the ms until all is as before. */
const repairTime = async (host: SimHost, command: string): Promise<number> => {
  const before = await ours(host);
  const start = performance.now();
  await inNetVm(host, ['sh', '-c', command]);
  await until(`all is as before: ${command}`, async () => {
    return (await ours(host)) === before;
  }).catch(async (error: Error) => {
    assert.equal(await ours(host), before, error.message);
  });
  return performance.now() - start;
};

const assertRepaired = async (host: SimHost, commands: readonly string[]): Promise<void> => {
  const boundMs = promisedMs * (await slowness());
  for (const command of commands) {
    const ms = await repairTime(host, command);
    console.info(`${ms.toFixed(0)} ms: ${command}`);
    assert.ok(ms < boundMs, `${ms} of ${boundMs} ms: ${command}`);
  }
};

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
])('damage to the static rules: %s', async (_what, commands) => {
  await withNetVm(async (host) => {
    await serveOne(host);
    await assertRepaired(host, commands);
    const losses = () => host.daemon.log().match(/"code":"FIREWALL_LOST"/g) ?? [];
    await until('each was logged', () => losses().length === commands.length);
    await assertReaches({ host, from: guestVm }, gateway4, outside4);
    assert.equal((await status(host)).healthy, true);
  });
});

/** The chain of what all VMs without a policy may send. */
const policyChain =
  '$(nft list map inet vifwatch out | grep -o "out-internet-[0-9a-f]*" | head -1)';

/** `LINK`, and `D` in addresses, stand for a vif that has not been damaged before. */
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
  'nft delete chain netdev vifwatch LINK',
  `nft flush chain inet vifwatch ${policyChain}`,
  `nft insert rule inet vifwatch ${policyChain} accept`,
  `nft replace rule inet vifwatch ${policyChain} handle $(nft -a list chain inet vifwatch ${policyChain} | sed -n "s/.*handle //p" | sed -n 2p) accept`,
  "nft delete element arp vifwatch sender '{ LINK . 00:16:3e:07:03:DD . 10.0.5.D }'",
  "nft add element inet vifwatch address4 '{ LINK . 10.66.0.1 }'",
  'nft delete element inet vifwatch uplink \'{ "eth0" }\'',
  'nft flush set inet vifwatch address4',
  'ip addr del 10.0.5.1/32 dev lo',
];

test('damage to a vif', async () => {
  await withNetVm(
    async (host) => {
      const guest = await host.create(guestVm);
      const vifs = damages.map((_, devid) => devid);
      const addresses = (d: number) => `10.0.5.1${d} fd00:5::1${d} 10.9.1${d}.0/24`;
      await attachCrowd(host, guest, vifs, (d) => ({ ip: addresses(d), mtu: '1500' }));
      await becomeConnected(host, guest, vifs);
      await until('it is quiet', async () => (await status(host)).healthy);
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

test('what began while the rules were gone does not go on when they are back', async () => {
  await withNetVm(async (host) => {
    const guest = await serveOne(host);
    const netVm = namespaceOf(host.netVm);
    // Somebody else's rules have the kernel track connections meanwhile.
    await inNetVm(host, [
      'nft',
      'table ip other { chain c { type filter hook input priority 0; ct state new accept; }; }',
    ]);
    const port = 22;
    const server = await echo(host, netVm, port);
    const flow = await send(host, namespaceOf(guest), '192.0.2.2', port);
    await sendsMore(flow, 50);
    assert.equal((await server.now()).seen, 0);
    await inNetVm(host, ['nft', 'delete', 'table', 'inet', 'vifwatch']);
    await until('the rules are back', () => host.daemon.log().includes('FIREWALL_LOST'));
    await sendsMore(flow, 20);
    const { sent } = await flow.now();
    const { seen } = await server.now();
    console.info(`open for ${seen * 3} ms`);
    assert.ok(seen > 0 && seen * 3 < promisedMs * (await slowness()), `${seen} packets passed`);
    await sendsMore(flow, 100);
    assert.ok((await server.now()).last < sent);
    assert.ok(host.daemon.log().includes('"FIREWALL_LOST"'));
  });
});

test('what happens in tables of others leaves the daemon idle', async () => {
  await withNetVm(async (host) => {
    await serveOne(host);
    await inNetVm(host, [
      'nft',
      'table ip site { set banned { type ipv4_addr; flags interval; }; }',
    ]);
    const before = cpuSeconds(host.daemon.pid());
    for (let round = 0; round < 40; round++) {
      const element = `ip site banned { 10.66.${round}.0/24 }`;
      await inNetVm(host, ['nft', `add element ${element}`]);
      await inNetVm(host, ['nft', `delete element ${element}`]);
    }
    const { own, children } = cpuSeconds(host.daemon.pid());
    const used = own + children - before.own - before.children;
    assert.ok(used < 0.1 * (await slowness()), `${used} s of processor time`);
    await assertRepaired(host, ['nft flush table inet vifwatch']);
  });
});

/** The monitor of nft 1.0.6 crashes at that, or prints megabytes. */
test('a crowd that goes leaves the daemon idle, and as watchful as before', async () => {
  await withNetVm(
    async (host) => {
      const guest = await host.create(guestVm);
      await attachRaw(host, guest, { ip: '10.0.5.3' });
      await becomesConnected(host, guest);
      const crowd = devidsUpTo(41).slice(1);
      for (let round = 0; round < 3; round++) {
        await attachCrowd(host, guest, crowd);
        await becomeConnected(host, guest, crowd);
        const before = cpuSeconds(host.daemon.pid()).own;
        assert.deepEqual(await detachCrowd(host, guest, crowd), []);
        await until('its rules are gone', async () => !/vif\d+\.[1-9]/.test(await ours(host)));
        await assertRepaired(host, [
          `nft delete element inet vifwatch mac '{ vif${guest}.0 . ${macOf(guest)} }'`,
        ]);
        const used = cpuSeconds(host.daemon.pid()).own - before;
        assert.ok(used < 2 * (await slowness()), `${used} s of processor time`);
      }
    },
    { idleGuests: true, quota: { nodes: 9000, watches: 1000 } },
  );
});
