/** A vif's ingress chain, which sees VLAN tags and unknown protocols, exists whenever the vif is served. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { parseDrops } from '../../../src/network/status/drops.ts';
import { outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif } from '../../rig/sim/toolstack.ts';
import { until } from '../../support/until.ts';
import { foreignProtocol, tagged, udp4 } from './frames.ts';
import { attachRaw, becomesConnected, guestVm, macOf, place, withNetVm } from './net-vm.ts';
import { withStandIn } from './stand-in.ts';

const chains = async (host: SimHost): Promise<string[]> => {
  const listing = await host.inNetVm(['nft', 'list', 'table', 'netdev', 'vifwatch']);
  return [...listing.stdout.matchAll(/chain (vif\S+) \{\n\t\ttype[^\n]*\n\t\tgoto frames\n/g)].map(
    ([, name = '']) => name,
  );
};

const isUp = (host: SimHost): Promise<void> =>
  until('the guest has set its link up', async () => {
    const { stdout } = await host.inVm(guestVm.name, ['ip', '-o', 'link', 'show', 'up']);
    return stdout.includes('eth0');
  });

/** Asserts that both counters count every frame of the guest with a VLAN tag or an unknown protocol. */
const assertCounts = async (host: SimHost, guest: number): Promise<void> => {
  await isUp(host);
  const source = macOf(guest);
  const drops = async () =>
    parseDrops((await host.inNetVm(['nft', '-j', 'list', 'counters'])).stdout);
  const before = await drops();
  const vlan = tagged(udp4({ source, from: `10.0.5.${guest}0`, to: outside4 }, 7), 5);
  await host.sendFrames(guestVm.name, [vlan, vlan, foreignProtocol({ source }, 0x88b5)]);
  await until('both counters have counted', async () => {
    const after = await drops();
    const grown = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
    return grown('vlan_tagged') === 2 && grown('unknown_ethertype') === 1;
  });
};

const serve = async (host: SimHost, guest: number, vifname?: string): Promise<void> => {
  await attachRaw(host, guest, { vifname });
  await becomesConnected(host, guest);
};

const detach = async (host: SimHost, guest: number): Promise<void> =>
  assert.deepEqual(await removeVif(host.dom0, place(guest)), []);

test('a link with a vifname has its chain, also when the vif comes back', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create(guestVm);
    for (let round = 0; round < 2; round++) {
      await serve(host, guest, 'vif-web');
      await assertCounts(host, guest);
      assert.deepEqual(await chains(host), ['vif-web']);
      await detach(host, guest);
    }
    await until('the chain is gone', async () => (await chains(host)).length === 0);
  });
});

test('damage to the chain while no daemon runs is repaired at the next start', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create(guestVm);
    await serve(host, guest);
    const harm = ['flush chain', 'delete chain'].map((verb) => `${verb} netdev vifwatch vif3.0`);
    for (const command of [...harm, 'delete table netdev vifwatch']) {
      await host.signalDaemon('SIGKILL');
      assert.equal((await host.inNetVm(['nft', command])).status, 0);
      await host.startDaemon();
      await until('the chain exists', async () => (await chains(host)).includes('vif3.0'));
      await assertCounts(host, guest);
    }
  });
});

/** Refuses missing links like Linux before 6.16; notes them, and the state of the links that exist. */
const refuseWithoutLink = `
  for file; do :; done
  for dev in $(grep -o '"dev":"[^"]*"' "$file" 2>/dev/null | cut -d'"' -f4); do
    /usr/sbin/ip -o link show dev "$dev" >>"$(dirname "$0")/links" && continue
    echo "$dev" >>"$(dirname "$0")/refused"
    echo 'internal:0:0-0: Error: Could not process rule: No such file or directory' >&2
    exit 1
  done`;

test('where the chain cannot exist before the link, it exists before the link is up', async () => {
  await withStandIn(
    'nft',
    refuseWithoutLink,
    async (host) => {
      const guest = await host.create(guestVm);
      for (let round = 0; round < 3; round++) {
        await serve(host, guest);
        assert.deepEqual(await chains(host), ['vif3.0']);
        await assertCounts(host, guest);
        await detach(host, guest);
        // Linux before 6.16 removes the chain with its link; this kernel keeps it.
        await host.inNetVm(['nft', 'delete', 'chain', 'netdev', 'vifwatch', 'vif3.0']);
      }
      assert.doesNotMatch(host.daemon.log(), /"level":50/);
      const noted = (file: string): string[] =>
        readFileSync(`${host.sim.directory}/bin/${file}`, 'utf8').trim().split('\n');
      assert.ok(noted('refused').length > 0);
      const links = noted('links');
      assert.ok(links.length >= 3, links.join('\n'));
      for (const link of links) assert.match(link, /: vif3\.0@\S+ <(?!.*[<,]UP[,>])/);
    },
    true,
  );
});
