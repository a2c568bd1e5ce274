/** Each kind of spoofed frame from a guest: its own counter counts every frame, and no witness sees one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { gateway4, gateway6, outside4, outside6 } from '../../rig/host.ts';
import { sendFrom } from '../../rig/sim/send.ts';
import { type Parties, spoofedNeighbours, spoofedPackets } from '../../scenario/spoofed-frames.ts';
import { until } from '../../support/until.ts';
import { advertisement, arp, echo4, fragment4, solicitation, udp4, udp6 } from './frames.ts';
import { status } from './net-vm.ts';
import {
  absent,
  assertPassNothing,
  growth,
  type SpoofingRig,
  spoofer,
  victim,
  withSpoofingRig,
} from './spoofing-rig.ts';

const broadcast = 'ff:ff:ff:ff:ff:ff';
const allNodes = { to: 'ff02::1', target: '33:33:00:00:00:01' };
const port = 7777;

const partiesOf = ({ spoofer: { mac } }: SpoofingRig): Parties => ({
  mac,
  self: spoofer,
  others: [victim, absent],
});

/** The counters that other tests of this directory test. */
const others = [
  ...['unconfigured_vif', 'unconfigured_vif_target', 'arp_foreign_target'],
  ...['vm_source_upstream', 'absent_vm_source_upstream', 'absent_vm_target'],
  ...['foreign_flow', 'no_uplink'],
];

test('every counter belongs to a spoofed frame and is documented in vifwatch(8)', () => {
  const read = (file: string): string =>
    readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
  const rules = read('rules/vifwatch.nft');
  const counters = new Set([...rules.matchAll(/counter name "(\w+)"/g)].map(([, name]) => name));
  const parties = { mac: '00:16:3e:00:00:01', self: spoofer, others: [victim] };
  const spoofed = { ...spoofedPackets(parties), ...spoofedNeighbours(parties) };
  assert.deepEqual([...counters].sort(), [...Object.keys(spoofed), ...others].sort());
  const explained = new Set(read('man/vifwatch.8').match(/(?<=^\.It Va .*)\w+/gm));
  for (const name of counters) assert.ok(explained.has(name ?? ''), name);
});

describe('frames from a guest', () => {
  test('no packet with a foreign source or MAC passes, and none that only routers and servers send', async () => {
    await withSpoofingRig(async (rig) => {
      await assertPassNothing(rig, rig.spoofer.namespace, spoofedPackets(partiesOf(rig)));
    });
  });

  test('no spoofed ARP or neighbour discovery passes or is answered', async () => {
    await withSpoofingRig(async (rig) => {
      await assertPassNothing(rig, rig.spoofer.namespace, spoofedNeighbours(partiesOf(rig)));
    });
  });

  test('honest packets pass and are answered, and the witnesses see them', async () => {
    await withSpoofingRig(async ({ host, spoofer: { namespace, mac: source }, seen, drops }) => {
      const multicast = { to: 'ff02::1:ff00:1', target: '33:33:ff:00:00:01' };
      const truths = {
        world: [
          udp4({ source, from: spoofer.ipv4, to: outside4 }, port),
          udp6({ source, from: spoofer.ipv6, to: outside6 }, port),
          fragment4({ source, from: spoofer.ipv4, to: outside4 }),
        ],
        netVmArp: [
          arp({
            source,
            target: broadcast,
            operation: 'request',
            sender: spoofer.ipv4,
            asks: gateway4,
          }),
          arp({
            source,
            target: broadcast,
            operation: 'request',
            sender: spoofer.ipv4,
            asks: spoofer.ipv4,
          }),
        ],
        netVm: [
          echo4({ source, from: spoofer.ipv4, to: gateway4 }, 7),
          solicitation({ source, from: spoofer.ipv6, ...multicast }, gateway6),
          advertisement({ source, from: 'fe80::41', ...allNodes }, 'fe80::41'),
        ],
      };
      const dropped = await drops();
      for (const [witness, frames] of Object.entries(truths)) {
        const before = await seen();
        await sendFrom(host.sim, namespace, frames);
        // The fragment waits for fragments that never come.
        const least = witness === 'world' ? 2 : frames.length;
        await until(`witness ${witness} sees the packets`, async () => {
          return (growth(before, await seen())[witness] ?? 0) >= least;
        });
        if (witness !== 'netVm') continue;
        await until(
          'net-vm has answered',
          async () => (growth(before, await seen())['spoofer'] ?? 0) >= 2,
        );
      }
      // A guest may also speak about its own address, as DAD does. The spoofed frame shows the end.
      await sendFrom(host.sim, namespace, [
        solicitation({ source, from: '::', ...allNodes }, spoofer.ipv6),
        advertisement({ source, from: spoofer.ipv6, ...allNodes }, spoofer.ipv6),
        udp4({ source, from: victim.ipv4, to: outside4 }, port),
      ]);
      await until('the spoofed frame is counted', async () => {
        return (growth(dropped, await drops())['other_vm_source'] ?? 0) > 0;
      });
      assert.deepEqual(growth(dropped, await drops()), { other_vm_source: 1 });
    });
  });

  test('the counts are in the status, outlive the daemon, and are not in the export', async () => {
    await withSpoofingRig(async (rig) => {
      const { host, spoofer: from } = rig;
      const ask = async (...words: string[]): Promise<string> =>
        (await host.inNetVm(['vifwatch', ...words])).stdout;
      const rules = await ask('export');
      const { foreign_mac: frames = [] } = spoofedPackets(partiesOf(rig));
      await assertPassNothing(rig, from.namespace, { foreign_mac: frames });
      const { drops } = await status(host);
      assert.equal(drops?.['foreign_mac'], 3 * frames.length);
      assert.match(await ask('status'), new RegExp(`foreign_mac ${3 * frames.length}\\b`));
      await host.signalDaemon('SIGKILL');
      assert.deepEqual((await status(host)).drops, drops);
      await host.startDaemon();
      assert.deepEqual((await status(host)).drops, drops);
      assert.equal(await ask('export'), rules);
    });
  });
});
