/** A guest floods before, while and after it has a link: only its own packets pass, while it is connected. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'vitest';
import { gateway4, outside4, outside6 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif } from '../../rig/sim/toolstack.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { placeWitness } from '../../scenario/witness.ts';
import { slowness } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { echo4, fragment4, type Packet, udp4, udp6 } from './frames.ts';
import { attachRaw, becomesConnected, macOf, place, withNetVm } from './net-vm.ts';
import { startFlood } from './sender.ts';

const [own4, own6] = ['10.0.5.30', 'fd00:5::30'];
const [other4, other6] = ['10.0.5.31', 'fd00:5::31'];
/** The guest's allowed packets go to the first port, its forbidden packets to the second. */
const [ownPort, foreignPort] = [7777, 6666];
const foreignId = 0x6666;

const framesOf = (mac: string): readonly string[] => {
  const v4: Packet = { source: mac, from: own4, to: outside4 };
  const v6: Packet = { source: mac, from: own6, to: outside6 };
  const otherMac = '00:16:3e:00:66:66';
  const sources4 = [other4, gateway4, '192.0.2.2', '192.0.2.77', '127.0.0.1', '0.0.0.0'];
  const sources6 = [other6, 'fd00:5::1', '2001:db8:ff::2', '2001:db8:ff::77', '::1', 'fe80::66'];
  return [
    udp4(v4, ownPort),
    udp6(v6, ownPort),
    udp4({ ...v4, source: otherMac }, foreignPort),
    udp6({ ...v6, source: otherMac }, foreignPort),
    fragment4({ ...v4, from: other4 }),
    ...sources4.map((from) => udp4({ ...v4, from }, foreignPort)),
    ...sources6.map((from) => udp6({ ...v6, from }, foreignPort)),
    ...[other4, '192.0.2.77'].map((from) => echo4({ ...v4, from, to: gateway4 }, foreignId)),
  ];
};

/** The network namespace of the machine beyond the uplink. */
const world = 'world';

/** Counts the packets that arrive there. */
const watchWorld = async (host: SimHost) => {
  const nft = async (command: string): Promise<string> => {
    const argv = host.sim.inNamespace(world, ['nft', command]);
    const { status, stdout, stderr } = await host.sim.run(argv, { domid: 0 });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const foreign = ['udp dport 6666', 'ip frag-off & 0x1fff != 0'];
  await nft(
    `table inet watch { counter own { }; counter foreign { }; chain arrivals {
      type filter hook prerouting priority -450; udp dport 7777 counter name own;
      ${foreign.map((match) => `${match} counter name foreign`).join('; ')}; }; }`,
  );
  return async (what: 'own' | 'foreign'): Promise<number> =>
    Number(/packets (\d+)/.exec(await nft(`list counter inet watch ${what}`))?.[1]);
};

/** The number of packets that the rules' counters have counted as dropped since they were first loaded. */
const dropped = async (host: SimHost): Promise<number> => {
  const { stdout } = await host.inNetVm(['nft', 'list', 'counters']);
  const counts = [...stdout.matchAll(/packets (\d+)/g)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
};

test('a flood passes only while its vif is connected, and never with a foreign source', async () => {
  await withNetVm(async (host) => {
    const [guest, link] = [await host.create({ name: 'guest' }), 'vif3.0'];
    const mac = macOf(guest);
    const arrived = await watchWorld(host);
    const witness = await placeWitness(host, `icmp id ${foreignId}`);
    const flood = await startFlood(host, guest, framesOf(mac));
    const waitMs = 200 * (await slowness());
    const reachesNetVm = async (): Promise<void> => {
      const before = await dropped(host);
      await until('the flood reaches net-vm', async () => (await dropped(host)) > before + 100);
    };
    const passes = async (): Promise<void> => {
      const before = await arrived('own');
      await until(
        "the guest's own packets pass",
        async () => (await arrived('own')) > before + 100,
      );
    };
    /** While the link is down, nothing tells how much was sent: the flood then gets a fixed time. */
    const nothingPasses = async (when: string, sending = () => delay(waitMs)): Promise<void> => {
      const before = await arrived('own');
      await sending();
      assert.equal((await arrived('own')) - before, 0, when);
    };
    const own = { ip: `${own4} ${own6}` };

    await host.signalDaemon('SIGKILL');
    await attachRaw(host, guest, own);
    await nothingPasses('the link is down');
    await inNetVm(host, ['ip', 'link', 'set', link, 'up']);
    await nothingPasses('another program has set the link up', reachesNetVm);

    await host.startDaemon();
    await becomesConnected(host, guest);
    await passes();
    await reachesNetVm();
    await host.signalDaemon('SIGKILL');
    await host.startDaemon();
    await passes();
    assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
    await nothingPasses('the vif is gone');
    await attachRaw(host, guest, own);
    await becomesConnected(host, guest);
    await passes();
    await reachesNetVm();

    const sent = await flood.stop();
    assert.equal(await arrived('foreign'), 0, 'a packet with a foreign source passed the uplink');
    assert.equal(await witness.count(), 0, 'a packet with a foreign source entered net-vm');
    console.info(`${sent} frames sent, ${await arrived('own')} of the guest's own packets arrived`);

    // Both counters do count such packets when the source is the guest's own.
    const truth: Packet = { source: mac, from: own4, to: outside4 };
    const ping = echo4({ ...truth, to: gateway4 }, foreignId);
    await host.sendFrames('guest', [udp4(truth, foreignPort), ping]);
    await until('the packet to the same port arrives', async () => (await arrived('foreign')) > 0);
    await until('the ping with the same id arrives', async () => (await witness.count()) > 0);
  });
});
