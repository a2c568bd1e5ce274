/** A vif's MTU follows the uplink's; a packet that is too long causes an error or is never sent. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { gateway6, outside4, outside6 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { assertReaches, pingThroughout } from '../../scenario/ping.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { assertRepaired, whileStopped } from './assert-repaired.ts';
import { attachRaw, backend, becomesConnected, guestVm, kernelState, withNetVm } from './net-vm.ts';
import { inWorld, transfer } from './transfer.ts';

const promisedMs = 1_000;

const addresses = { ip: '10.0.5.30 fd00:5::30' };

const ip = async (host: SimHost, ...args: readonly string[]): Promise<string> => {
  const { status, stdout, stderr } = await host.inNetVm(['ip', ...args]);
  assert.equal(status, 0, stderr);
  return stdout;
};

/** The MTU of the vif's link, and the MTU in the guest's node. */
const mtusOf = async (host: SimHost, guest: number): Promise<readonly [number, number]> => {
  const shown = await ip(host, '-o', 'link', 'show', `vif${guest}.0`);
  const hint = await host.read(`/local/domain/${guest}/device/vif/0/mtu`);
  return [Number(/ mtu (\d+) /.exec(shown)?.[1]), Number(hint)];
};

const becomes = async (host: SimHost, guest: number, mtu: number): Promise<number> => {
  const start = performance.now();
  await until(`vif${guest}.0 and its guest have MTU ${mtu}`, async () =>
    (await mtusOf(host, guest)).every((has) => has === mtu),
  );
  return performance.now() - start;
};

test("a vif has the uplink's MTU from the start, follows a change within a second, and loses nothing", async () => {
  await withNetVm(async (host) => {
    const setUplink = (mtu: number) => ip(host, 'link', 'set', 'eth0', 'mtu', `${mtu}`);
    await setUplink(1400);
    const guest = await host.create(guestVm);
    await attachRaw(host, guest, addresses);
    await becomesConnected(host, guest);
    await becomes(host, guest, 1400);
    const before = await kernelState(host);
    const ups = () => host.inNetVm(['cat', `/sys/class/net/vif${guest}.0/carrier_changes`]);
    const upsBefore = (await ups()).stdout;
    const pings = [outside4, outside6].map((to) => pingThroughout({ host, from: guestVm }, to));

    const bound = await openBound(promisedMs);
    const follows = async (mtu: number, what: string): Promise<void> =>
      bound.assertKept(await becomes(host, guest, mtu), what);
    for (const mtu of [1300, 1500, 1350]) {
      await setUplink(mtu);
      await follows(mtu, `the uplink's MTU ${mtu}`);
    }
    await whileStopped(host, async () => {
      await ip(host, 'link', 'set', `vif${guest}.0`, 'mtu', '1450');
    });
    await follows(1350, "the MTU after another program's change");
    await host.dom0.write(`${backend(guest)}/mtu`, '1290');
    await follows(1290, 'the MTU that dom0 asks for');
    await host.dom0.remove(`${backend(guest)}/mtu`);
    await follows(1350, 'the MTU after dom0 has removed its node');

    for (const ping of pings) await ping.assertUninterrupted();
    assert.equal(await kernelState(host), before);
    assert.equal((await ups()).stdout, upsBefore);
  });
});

test("a connected vif whose MTU differs from the uplink's gets that MTU at the daemon's start, and so does its guest", async () => {
  await withNetVm(async (host) => {
    const guest = await host.create(guestVm);
    await attachRaw(host, guest, addresses);
    await becomesConnected(host, guest);
    for (const mtu of [1400, 1500]) {
      await host.signalDaemon('SIGKILL');
      await ip(host, 'link', 'set', 'eth0', 'mtu', `${mtu}`);
      assert.ok((await mtusOf(host, guest)).every((has) => has !== mtu));
      await host.startDaemon();
      await becomes(host, guest, mtu);
    }
  });
});

test('a vif whose MTU was too small for IPv6 answers IPv6 again after the repair', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create(guestVm);
    await attachRaw(host, guest, addresses);
    await becomesConnected(host, guest);
    // The kernel forgets the link's IPv6 settings. The guest does not know the gateway's MAC yet.
    await whileStopped(host, async () => {
      await ip(host, 'link', 'set', `vif${guest}.0`, 'mtu', '1000');
    });
    await becomes(host, guest, 1500);
    await assertReaches({ host, from: guestVm }, gateway6, outside6);
  });
});

test('path MTU discovery works through net-vm in both directions', async () => {
  await withNetVm(async (host) => {
    const guest = await host.create(guestVm);
    await attachRaw(host, guest, { ...addresses, mtu: '1320' });
    await becomesConnected(host, guest);
    await ip(host, 'link', 'set', 'eth0', 'mtu', '1300');
    for (const to of [outside4, outside6]) {
      assert.equal(await transfer(host, to), 'complete', to);
    }
  });
});

const uplinkOnly = 'uplink = ["eth0"]\ngateway = ["10.0.5.1", "fd00:5::1"]\n';

/** The world loses the errors about packets that are too long. */
const makeBlackHole = async (host: SimHost): Promise<void> => {
  const table = `table inet hole { chain input { type filter hook input priority 0;
    icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }; }`;
  const { status, stderr } = await inWorld(host, ['nft', table]);
  assert.equal(status, 0, stderr);
};

test.each([
  ['with mss_clamp, no segment is too long even if the errors about long packets get lost', true],
  ['without mss_clamp, the segments stay unchanged', false],
])('%s', async (_, clamp) => {
  await withNetVm(
    async (host) => {
      await makeBlackHole(host);
      const guest = await host.create(guestVm);
      await attachRaw(host, guest, { ...addresses, mtu: '1300' });
      await becomesConnected(host, guest);
      for (const to of [outside4, outside6]) {
        assert.equal(await transfer(host, to), clamp ? 'complete' : 'stalled', to);
      }
      if (clamp) {
        // The daemon also repairs the set of this option.
        await assertRepaired(host, ['nft flush set inet vifwatch mss_clamp']);
      }
    },
    { config: `mss_clamp = ${clamp}\n${uplinkOnly}` },
  );
});
