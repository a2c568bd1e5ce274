/** A guest that spoofs ARP or neighbour discovery changes nothing in net-vm; an honest guest gets answers. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { gateway4, gateway6, outside4, outside6 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { advertisement, arp, netbackMac, routerAdvertisement, solicitation } from './frames.ts';
import { attachRaw, becomesConnected, macOf, withNetVm } from './net-vm.ts';

const everything = [gateway4, gateway6, outside4, outside6];
const victim = { name: 'victim', ipv4: '10.0.5.40', ipv6: 'fd00:5::40' };
const spoofer = { name: 'spoofer', ipv4: '10.0.5.41', ipv6: 'fd00:5::41' };

/** Serves the VM and asserts that it reaches everything; resolves with its MAC. */
const serve = async (host: SimHost, { name, ipv4, ipv6 }: typeof victim): Promise<string> => {
  const guest = await host.create({ name });
  await attachRaw(host, guest, { ip: `${ipv4} ${ipv6}` });
  await becomesConnected(host, guest);
  await assertReaches({ host, from: { name } }, ...everything);
  return macOf(guest);
};

/** Serves the victim and the spoofer; resolves with the spoofer's MAC. */
const serveBoth = async (host: SimHost): Promise<string> => {
  await serve(host, victim);
  return serve(host, spoofer);
};

const run = (host: SimHost, command: string): Promise<string> => inNetVm(host, command.split(' '));

/** net-vm's neighbour table without the entries' freshness and without the world's link-local entries. */
const neighbours = async (host: SimHost): Promise<readonly string[]> => {
  const table = await run(host, 'ip neigh show');
  return table
    .split('\n')
    .filter((line) => !/^fe80:\S+ dev eth0 /.test(line))
    .map((line) => line.replace(/ (REACHABLE|STALE|DELAY|PROBE) *$/, '').replace(' router', ''))
    .sort();
};

/** Counts the matching packets that pass our rules in a family's input hook. */
const watchFor = async (host: SimHost, { family, match }: NeighbourClaims) => {
  const hook = `type filter hook input priority 1000; ${match} counter;`;
  await run(host, `nft table ${family} passed { chain input { ${hook} }; }`);
  return async (): Promise<number> => {
    const chain = await run(host, `nft list chain ${family} passed input`);
    return Number(/counter packets (\d+)/.exec(chain)?.[1]);
  };
};

const droppedBy = async (host: SimHost, family: 'arp' | 'inet'): Promise<number> => {
  const table = await run(host, `nft list table ${family} vifwatch`);
  const counts = [...table.matchAll(/packets (\d+)/g)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
};

type NeighbourClaims = { readonly family: 'arp' | 'inet'; readonly match: string };

const times = 20;

/**
 * Sends the spoofed frames many times; the rules must drop each of them, and nothing in net-vm may change.
 * @returns a check that the frames need the rules: it deletes the rules, after which the frames must arrive
 */
const assertUseless = async (host: SimHost, claims: NeighbourClaims, frames: readonly string[]) => {
  const { family } = claims;
  const [before, counted] = [await neighbours(host), await droppedBy(host, family)];
  const passed = await watchFor(host, claims);
  const all = Array(times).fill(frames).flat();
  await host.sendFrames(spoofer.name, all);
  await until('all frames have been dropped', async () => {
    return (await droppedBy(host, family)) >= counted + all.length;
  });
  assert.equal(await passed(), 0, 'spoofed frames passed the rules');
  assert.deepEqual(await neighbours(host), before);
  await assertReaches({ host, from: victim }, ...everything);
  await assertReaches({ host, from: 'net-vm' }, victim.ipv4, victim.ipv6);
  return async (): Promise<void> => {
    await host.signalDaemon('SIGKILL');
    await run(host, `nft delete table ${family} vifwatch`);
    await host.sendFrames(spoofer.name, frames);
    await until('the frames arrive without the rules', async () => (await passed()) > 0);
  };
};

test('ARP claims to foreign addresses are dropped and change nothing', async () => {
  await withNetVm(async (host) => {
    const mac = await serveBoth(host);
    const [own, all] = [{ source: mac }, { source: mac, target: 'ff:ff:ff:ff:ff:ff' }];
    const frames = [victim.ipv4, gateway4, '192.0.2.2', outside4, '0.0.0.0'].flatMap((sender) => [
      arp({ ...all, operation: 'request', sender, asks: sender }),
      arp({ ...all, operation: 'request', sender, asks: gateway4 }),
      arp({ ...own, operation: 'reply', sender, asks: gateway4 }),
    ]);
    const foreignMac = { ...all, source: '00:16:3e:00:66:66' };
    frames.push(arp({ ...foreignMac, operation: 'request', sender: spoofer.ipv4, asks: gateway4 }));
    const claims = { family: 'arp', match: 'iifname "vif*"' } as const;
    const assertNeedRules = await assertUseless(host, claims, frames);
    await assertNeedRules();
  });
});

test('neighbour discovery claims to foreign addresses are dropped and change nothing', async () => {
  await withNetVm(async (host) => {
    const source = await serveBoth(host);
    const targets = [victim.ipv6, gateway6, '2001:db8:ff::2', outside6];
    const local = { source, from: 'fe80::41', to: 'ff02::1', target: '33:33:00:00:00:01' };
    const frames = targets.flatMap((target) => [
      advertisement(local, target),
      advertisement({ ...local, from: target }, target),
      advertisement({ source, from: spoofer.ipv6, to: gateway6 }, target),
      solicitation({ ...local, from: target }, gateway6),
    ]);
    const match = 'icmpv6 type { nd-neighbor-advert, nd-neighbor-solicit } iifname "vif*"';
    const assertNeedRules = await assertUseless(host, { family: 'inet', match }, frames);
    await assertNeedRules();
  });
});

test('router advertisements change nothing, even if net-vm accepts them by default', async () => {
  await withNetVm(async (host) => {
    await run(host, 'busybox sysctl -w net.ipv6.conf.default.accept_ra=2');
    const source = await serveBoth(host);
    await until('the uplink has all its addresses', async () => {
      return !(await run(host, 'ip -6 -o addr show')).includes('tentative');
    });
    const routes = await run(host, 'ip -6 route show table all');
    const addresses = await run(host, 'ip -6 -o addr show');
    const all = { source, from: 'fe80::41', to: 'ff02::1', target: '33:33:00:00:00:01' };
    const frames = [
      routerAdvertisement(all, '2001:db8:bad::'),
      routerAdvertisement({ ...all, target: netbackMac, to: 'fe80::1' }, '2001:db8:bad::'),
      routerAdvertisement({ ...all, from: spoofer.ipv6 }, '2001:db8:bad::'),
    ];
    const match = 'icmpv6 type nd-router-advert iifname "vif*"';
    const assertNeedRules = await assertUseless(host, { family: 'inet', match }, frames);
    assert.equal(await run(host, 'ip -6 route show table all'), routes);
    assert.equal(await run(host, 'ip -6 -o addr show'), addresses);
    for (const link of ['vif3.0', 'vif4.0']) {
      const setting = `/proc/sys/net/ipv6/conf/${link}/accept_ra`;
      assert.equal(await run(host, `cat ${setting}`), '0\n', link);
    }
    await assertNeedRules();
  });
});

test('a guest with an empty neighbour table finds the gateway of each family', async () => {
  await withNetVm(async (host) => {
    await serveBoth(host);
    for (const [family, gateway] of [
      ['-4', gateway4],
      ['-6', gateway6],
    ] as const) {
      const flush = ['ip', family, 'neigh', 'flush', 'dev', 'eth0'];
      assert.equal((await host.inVm(spoofer.name, flush)).status, 0);
      await assertReaches({ host, from: spoofer }, gateway);
      const { stdout } = await host.inVm(spoofer.name, ['ip', family, 'neigh', 'show', gateway]);
      assert.match(stdout, new RegExp(`lladdr ${netbackMac}`));
    }
  });
});
