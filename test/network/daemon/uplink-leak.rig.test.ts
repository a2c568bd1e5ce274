/**
 * The default route moves to an interface that is not an uplink. No packet of a VM's live flow may leave
 * there.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { sh, shIn } from '../../faults/in-namespace.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { create, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { echo, send, sendsMore, world } from './flows.ts';
import { status, withNetVm } from './net-vm.ts';

const far4 = '198.51.100.1';
const far6 = '2001:db8:99::1';
const port = 4242;

/** Adds another interface from net-vm to the world, which counts the packets that arrive there from VMs. */
const addOtherInterface = async (host: SimHost): Promise<void> => {
  const ends = ['netns', namespaceOf(host.netVm), 'type', 'veth', 'peer', 'name', 'up2'];
  const link = ['ip', 'link', 'add', 'up2', ...ends, 'netns', world];
  assert.equal((await host.sim.run(host.sim.inRig(link), { domid: 0 })).status, 0);
  for (const [namespace, last] of [
    [namespaceOf(host.netVm), 2],
    [world, 1],
  ] as const)
    await shIn(
      host,
      namespace,
      `echo 0 >/proc/sys/net/ipv6/conf/up2/accept_dad; ip link set up2 up
      ip addr add 203.0.113.${last}/24 dev up2; ip addr add 2001:db8:fe::${last}/64 dev up2 nodad`,
    );
  // The world answers with the far addresses.
  await shIn(
    host,
    world,
    `ip addr add ${far4}/32 dev lo; ip addr add ${far6}/128 dev lo nodad
    ip route replace 10.0.5.0/24 via 192.0.2.2 src ${far4}
    ip -6 route replace fd00:5::/64 via 2001:db8:ff::2 src ${far6}
    nft 'table inet leak { chain arrivals { type filter hook prerouting priority -300
      iifname up2 ip saddr 10.0.5.0/24 counter
      iifname up2 ip6 saddr fd00:5::/64 counter; }; }'`,
  );
};

const leakedPackets = async (host: SimHost): Promise<number> => {
  const listing = await shIn(host, world, 'nft list table inet leak');
  return [...listing.matchAll(/packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
};

test.each([
  ['IPv6', far6, '-6', 'via 2001:db8:fe::1 dev up2'],
  ['IPv4 without masquerade', far4, '-4', 'via 203.0.113.1 dev up2'],
])('a live flow of %s stays on the uplink', (_name, target, family, other) =>
  withNetVm(async (host) => {
    const domid = await create(host, web);
    await addOtherInterface(host);
    await assertReaches({ host, from: web }, target);
    await echo(host, world, port);
    const flow = await send(host, namespaceOf(domid), target, port);
    await sendsMore(flow, 50);
    const [uplink] = (await sh(host, `ip ${family} route show default`)).split('\n');
    await sh(host, `ip ${family} route replace default ${other}`);
    await until('the rules drop packets of the flow', async () => {
      const drops = (await status(host)).drops?.['no_uplink'] ?? 0;
      return drops >= 100;
    });
    assert.equal(await leakedPackets(host), 0, 'packets of the VM left by up2');
    await sh(host, `ip ${family} route replace ${uplink}`);
    await sendsMore(flow, 50);
  }),
);

test('a policy lets in no packet from an interface that is no uplink', () =>
  withNetVm(async (host) => {
    writeFileSync(
      `${host.daemon.policies}/${web.name}.toml`,
      '[[rule]]\naction = "accept"\ndirection = "in"\n',
    );
    const domid = await create(host, web);
    await addOtherInterface(host);
    const server = await echo(host, namespaceOf(domid), port);
    const uplink = await send(host, world, web.ipv4, port);
    await until('the VM answers over the uplink', async () => (await uplink.now()).seen > 50);
    await uplink.stop();
    await shIn(host, world, 'ip route replace 10.0.5.0/24 via 203.0.113.2 src 203.0.113.1');
    const { seen } = await server.now();
    const other = await send(host, world, web.ipv4, port);
    await until('the rules drop the packets', async () => {
      const drops = (await status(host)).drops?.['no_uplink'] ?? 0;
      return drops >= 50;
    });
    assert.equal((await server.now()).seen, seen, 'packets reached the VM');
    assert.equal((await other.stop()).seen, 0);
  }));
