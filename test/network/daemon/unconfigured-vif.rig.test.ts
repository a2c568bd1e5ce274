/** A vif* link that the daemon did not configure, but another program set up: no packet passes either way. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { gateway4, gateway6, outside4, outside6 } from '../../rig/host.ts';
import { until } from '../../support/until.ts';
import {
  arp,
  echo4,
  foreignProtocol,
  netbackMac,
  solicitation,
  tagged,
  udp4,
  udp6,
} from './frames.ts';
import {
  absent,
  assertPassNothing,
  becomesSilent,
  growth,
  type SpoofingRig,
  spoofer,
  trySending,
  victim,
  withSpoofingRig,
  world,
} from './spoofing-rig.ts';

const [stranger4, stranger6] = ['10.0.5.99', 'fd00:5::99'];
const mac = '00:16:3e:00:99:99';
const namespace = 'stranger';
const port = 7777;

/** Serves the stranger like a driver domain without rules; the result reads how many frames reached it. */
const serveStranger = async ({ host, nft }: SpoofingRig): Promise<() => Promise<number>> => {
  const inRig = async (argv: readonly string[]): Promise<void> => {
    const { status, stderr } = await host.sim.run(host.sim.inRig(argv), { domid: 0 });
    assert.equal(status, 0, `${argv.join(' ')}: ${stderr}`);
  };
  const ip = (command: string) => inRig(['ip', ...command.split(' ')]);
  const quiet = (where: string, link: string) =>
    ip(`netns exec ${where} busybox sysctl -w net/ipv6/conf/${link}/addr_gen_mode=1`);
  await ip(`netns add ${namespace}`);
  await ip(`link add vif9.9 netns dom2 type veth peer name eth0 netns ${namespace}`);
  await quiet('dom2', 'vif9.9');
  await quiet(namespace, 'eth0');
  await ip(`-n ${namespace} link set eth0 address ${mac} up`);
  await ip(`-n dom2 link set vif9.9 address ${netbackMac} up`);
  for (const address of [stranger4, stranger6]) {
    await ip(`-n dom2 neigh add ${address} lladdr ${mac} nud permanent dev vif9.9`);
    await ip(`-n dom2 route add ${address} dev vif9.9`);
  }
  await nft(
    namespace,
    `table netdev witness { counter seen { }; chain arrivals {
      type filter hook ingress device "eth0" priority 0; counter name seen; }; }`,
  );
  return async () => {
    const text = await nft(namespace, 'list counter netdev witness seen');
    return Number(/packets (\d+)/.exec(text)?.[1]);
  };
};

test('no packet passes from an unconfigured link or to it', async () => {
  await withSpoofingRig(async (rig) => {
    const handed = await serveStranger(rig);
    await becomesSilent(rig);
    const before = await handed();
    const sources4 = [stranger4, spoofer.ipv4, victim.ipv4, gateway4, '127.0.0.1', '0.0.0.0'];
    const sources6 = [stranger6, spoofer.ipv6, gateway6, 'fe80::99'];
    await assertPassNothing(
      rig,
      namespace,
      {
        unconfigured_vif: [
          ...sources4.map((from) => udp4({ source: mac, from, to: outside4 }, port)),
          ...sources6.map((from) => udp6({ source: mac, from, to: outside6 }, port)),
          echo4({ source: mac, from: stranger4, to: gateway4 }, 7),
          solicitation({ source: mac, from: 'fe80::99', to: gateway6 }, gateway6),
          tagged(udp4({ source: mac, from: stranger4, to: outside4 }, port), 0),
        ],
        arp_foreign_frame: [
          arp({ source: mac, operation: 'request', sender: stranger4, asks: gateway4 }),
        ],
      },
      [
        tagged(udp4({ source: mac, from: stranger4, to: outside4 }, port), 5),
        foreignProtocol({ source: mac }, 0x88b5),
      ],
    );
    const uplink = { source: '00:16:3e:00:77:77', target: rig.uplinkMac };
    await assertPassNothing(rig, world, {
      unconfigured_vif_target: [
        udp4({ ...uplink, from: outside4, to: stranger4 }, port),
        udp6({ ...uplink, from: outside6, to: stranger6 }, port),
      ],
    });
    await assertPassNothing(rig, rig.spoofer.namespace, {
      unconfigured_vif_target: [
        udp4({ source: rig.spoofer.mac, from: spoofer.ipv4, to: stranger4 }, port),
      ],
    });
    const dropped = await rig.drops();
    await trySending(rig, stranger4);
    await trySending(rig, stranger6);
    assert.deepEqual(growth(dropped, await rig.drops()), { unconfigured_vif_target: 2 });
    const probe = ['10.0.5.98', 'lladdr', mac, 'nud', 'probe', 'dev', 'vif9.9'];
    assert.equal((await rig.host.inNetVm(['ip', 'neigh', 'add', ...probe])).status, 0);
    await until('net-vm has asked by ARP', async () => {
      return (growth(dropped, await rig.drops())['arp_foreign_target'] ?? 0) > 0;
    });
    assert.equal(await handed(), before, 'a frame reached the stranger');

    await rig.host.signalDaemon('SIGKILL');
    for (const family of ['inet', 'arp']) await rig.nft('dom2', `delete table ${family} vifwatch`);
    await trySending(rig, stranger4);
    await until(
      'a frame reaches the stranger without the rules',
      async () => (await handed()) > before,
    );
  });
});

test('a vif gets no packets for a foreign address, even if a route leads to the vif', async () => {
  await withSpoofingRig(async (rig) => {
    const { host, victim: to } = rig;
    await host.signalDaemon('SIGKILL');
    for (const address of ['10.0.5.98', 'fd00:5::98', absent.ipv4]) {
      const neighbour = [
        'neigh',
        'add',
        address,
        'lladdr',
        mac,
        'nud',
        'permanent',
        'dev',
        to.link,
      ];
      assert.equal((await host.inNetVm(['ip', ...neighbour])).status, 0);
      assert.equal((await host.inNetVm(['ip', 'route', 'add', address, 'dev', to.link])).status, 0);
    }
    const seen = await rig.seen();
    for (const address of ['10.0.5.98', 'fd00:5::98', absent.ipv4]) {
      await trySending(rig, address);
    }
    assert.deepEqual(growth(seen, await rig.seen()), {});
    await trySending(rig, victim.ipv4);
    await until("the witness sees the packet for the VM's own address", async () => {
      return (growth(seen, await rig.seen())['victim'] ?? 0) >= 1;
    });
  });
});
