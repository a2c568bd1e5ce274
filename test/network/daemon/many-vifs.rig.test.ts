/** All vifs of a host at once: each gets exactly its own state, and a vif that fails disturbs no other. */
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { until } from '../../support/until.ts';
import { addressesOf, attachVifs, becomeConnected, detachVifs, devidsUpTo } from './many-vifs.ts';
import { backend, becomesRefused, kernelState, macOf, status, withNetVm } from './net-vm.ts';

const devids = devidsUpTo(40);

/** Every line that the kernel must have for one vif, as kernelState prints it. */
const linesOf = (guest: number, devid: number): string[] => {
  const [link, mac] = [`vif${guest}.${devid}`, macOf(guest, devid)];
  const [ipv4, ipv6] = addressesOf(devid).split(' ');
  return [
    `add element inet vifwatch mac { "${link}" . ${mac} }`,
    `add chain netdev vifwatch ${link} { type filter hook ingress device "${link}" priority -500; policy accept; }`,
    `add rule netdev vifwatch ${link} goto frames`,
    `add element inet vifwatch source4 { "${link}" . ${mac} . ${ipv4} }`,
    `add element inet vifwatch source6 { "${link}" . ${mac} . ${ipv6} }`,
    `add element inet vifwatch vif { "${link}" }`,
    `add element inet vifwatch live4 { ${ipv4} }`,
    `add element inet vifwatch live6 { ${ipv6} }`,
    `add element arp vifwatch sender_mac { "${link}" . ${mac} }`,
    `add element inet vifwatch address4 { "${link}" . ${ipv4} }`,
    `add element inet vifwatch address6 { "${link}" . ${ipv6} }`,
    `add element arp vifwatch sender { "${link}" . ${mac} . ${ipv4} }`,
    `add element inet vifwatch out { "${link}" : jump out-internet-HASH }`,
    `add element inet vifwatch in { "${link}" : jump in-internet-HASH }`,
    `${ipv4} dev ${link} scope link`,
    `${ipv6} dev ${link} metric 1 pref medium`,
    `${ipv4} dev ${link} lladdr ${mac} PERMANENT`,
    `${ipv6} dev ${link} lladdr ${mac} PERMANENT`,
    `fd00:5::1 dev ${link} proxy`,
    link,
  ];
};

/** Splits the state into the lines of vifs and the rest. */
const split = (state: string) => {
  const named = state.replaceAll(/(?<=(in|out)-internet-)[0-9a-f]{12}/g, 'HASH');
  const lines = named.split('\n').map((line) => line.trim().replace(/ # guest$/, ''));
  const ofVif = (line: string): boolean => /vif\d|vifwatch live/.test(line);
  return {
    vifs: lines.filter(ofVif).sort(),
    rest: lines.filter((line) => !ofVif(line)).join('\n'),
  };
};

/** The devids for which netback gives up; the set grows as netback reports them. */
const watchFailures = (host: SimHost): ReadonlySet<number> => {
  const failed = new Set<number>();
  host.actors.events.subscribe(({ what, devid }) => what === 'failed' && failed.add(devid));
  return failed;
};

/** Waits until each vif is connected or netback has given it up; returns the connected vifs. */
const connectedOf = async (
  host: SimHost,
  guest: number,
  devids: readonly number[],
  failed: ReadonlySet<number>,
): Promise<readonly number[]> => {
  for (const devid of devids) {
    await until(`vif ${guest}/${devid} is connected or failed`, async () => {
      return failed.has(devid) || (await host.read(`${backend(guest, devid)}/state`)) === '4';
    });
  }
  return devids.filter((devid) => !failed.has(devid));
};

describe.each(['xenstored', 'oxenstored'] as const)('with %s', (store) => {
  test('40 vifs at once, one of them bad: each gets exactly its own state, and the bad one gets none', async () => {
    await withNetVm(
      async (host) => {
        const before = split(await kernelState(host));
        const guest = await host.create({ name: 'guest' });
        const bad = 17;
        const good = devids.filter((devid) => devid !== bad);
        await attachVifs(host, guest, devids, (devid) =>
          devid === bad ? { ip: `${addressesOf(devid)} 10.0.5.300` } : {},
        );
        await becomeConnected(host, guest, good);
        await becomesRefused(host, guest, 'ADDRESS_INVALID', bad);
        const after = split(await kernelState(host));
        assert.deepEqual(after.vifs, good.flatMap((devid) => linesOf(guest, devid)).sort());
        assert.equal(after.rest, before.rest);
        assert.deepEqual(await detachVifs(host, guest, devids), []);
        await until('no vif has kernel state', async () => {
          return split(await kernelState(host)).vifs.length === 0;
        });
      },
      { store, quota: { nodes: 9000, watches: 1000 } },
    );
  });

  test('more vifs than the quota holds: a vif without nodes stays out, and the others come and go', async () => {
    await withNetVm(
      async (host) => {
        const failed = watchFailures(host);
        const guest = await host.create({ name: 'guest' });
        const asked = devidsUpTo(42);
        await attachVifs(host, guest, asked);
        const good = await connectedOf(host, guest, asked, failed);
        assert.ok(good.length > 30, `only ${good.length} are connected`);
        const [spare, other] = failed;
        assert.ok(spare !== undefined && other !== undefined, 'the quota holds them all');
        const { vifs } = await status(host);
        const connected = vifs.filter(({ phase }) => phase === 'connected');
        assert.deepEqual(
          connected.map(({ devid }) => devid),
          good,
        );
        assert.deepEqual(await detachVifs(host, guest, [good[0] ?? 0, spare, other]), []);
        await attachVifs(host, guest, [spare]);
        await becomeConnected(host, guest, [spare]);
        assert.deepEqual(await detachVifs(host, guest, asked), []);
      },
      { store },
    );
  });

  test("the quota leaves no node for a bad vif's error: the other vifs are served", async () => {
    await withNetVm(
      async (host) => {
        const failed = watchFailures(host);
        const guest = await host.create({ name: 'guest' });
        const [bad, asked] = [60, devidsUpTo(60)];
        await attachVifs(host, guest, asked);
        const good = await connectedOf(host, guest, asked, failed);
        // The count depends on how far the other vifs got before the quota was full.
        assert.ok(good.length > 0 && failed.size > 0, `${good.length} of ${asked.length}`);
        await attachVifs(host, guest, [bad], () => ({ ip: undefined }));
        await until('status reports the error', async () => {
          const { daemon, vifs } = await status(host);
          const code = vifs.find(({ devid }) => devid === bad)?.error?.code;
          return daemon !== null && code === 'ADDRESS_MISSING';
        });
        assert.equal(await host.read(`${backend(guest, bad)}/hotplug-error`), undefined);
        // The quota that dom0 frees is enough for the error in the store as well.
        assert.deepEqual(await detachVifs(host, guest, good), []);
        await becomesRefused(host, guest, 'ADDRESS_MISSING', bad);
      },
      { store },
    );
  });
});
