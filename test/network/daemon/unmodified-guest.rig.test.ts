/** The rules do not hinder an unmodified guest, which behaves like any other system. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { gateway4, gateway6, outside4, outside6 } from '../../rig/host.ts';
import { sendFrom } from '../../rig/sim/send.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { hangMs, until } from '../../support/until.ts';
import { fragmentationNeeded, packetTooBig } from './frames.ts';
import { growth, type SpoofingRig, spoofer, withSpoofingRig, world } from './spoofing-rig.ts';

const guest = { name: spoofer.name };

const inGuest = async ({ host }: SpoofingRig, command: string): Promise<string> => {
  const { status, stdout, stderr } = await host.inVm(guest.name, command.split(' '));
  assert.equal(status, 0, `${command}: ${stderr}`);
  return stdout;
};

test('an unmodified guest probes and announces its addresses, finds its gateway, and communicates', async () => {
  await withSpoofingRig(async (rig) => {
    const before = await rig.drops();
    await inGuest(rig, 'ip link set eth0 down');
    const settings = ['ipv6/conf/eth0/accept_dad=1', 'ipv4/conf/eth0/arp_notify=1'];
    for (const setting of [...settings, 'ipv6/conf/eth0/ndisc_notify=1']) {
      await inGuest(rig, `busybox sysctl -w net/${setting}`);
    }
    await inGuest(rig, 'ip link set eth0 up');
    await inGuest(rig, `ip addr add ${spoofer.ipv6}/128 dev eth0`);
    await until("no other host has the guest's addresses", async () => {
      const addresses = await inGuest(rig, 'ip -6 addr show dev eth0');
      assert.doesNotMatch(addresses, /dadfailed/);
      return addresses.includes(spoofer.ipv6) && !addresses.includes('tentative');
    });
    for (const [family, gateway] of [
      ['-4', gateway4],
      ['-6', gateway6],
    ] as const) {
      await inGuest(rig, `ip ${family} route replace ${gateway} dev eth0`);
      await inGuest(rig, `ip ${family} route replace default via ${gateway} dev eth0`);
    }
    const pinger = { host: rig.host, from: guest };
    await assertReaches(pinger, gateway4, gateway6, outside4, outside6);
    // The guest asks for the gateways again after it has lost its neighbour entries.
    for (const family of ['-4', '-6']) {
      await inGuest(rig, `ip ${family} neigh flush dev eth0`);
    }
    await assertReaches(pinger, gateway4, gateway6, outside4, outside6);
    await assertReaches({ host: rig.host, from: 'net-vm' }, spoofer.ipv4, spoofer.ipv6);
    assert.deepEqual(growth(before, await rig.drops()), {});
  });
});

/** Sends a datagram that must not be fragmented, and waits until the kernel knows a smaller MTU. */
const discoverMtu = `
import socket, sys, time
own, target, port, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
v6 = ':' in target
level, discover, mtu = (41, 23, 24) if v6 else (0, 10, 14)
out = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
out.setsockopt(level, discover, 2)
out.bind((own, port))
out.connect((target, port))
try:
    out.send(bytes(size))
except OSError:
    pass
end = time.monotonic() + ${hangMs / 1000}
while out.getsockopt(level, mtu) == 1500 and time.monotonic() < end:
    time.sleep(0.01)
print(out.getsockopt(level, mtu))
`;

/** The MTUs that the guest's kernel finds for the paths to the world, over IPv4 and IPv6. */
const mtus = ({ host }: SpoofingRig, size: number): Promise<readonly number[]> => {
  const paths = [
    [spoofer.ipv4, outside4],
    [spoofer.ipv6, outside6],
  ] as const;
  const found = paths.map(async ([own, target]) => {
    const argv = ['python3', '-c', discoverMtu, own, target, '7001', `${size}`];
    const { status, stdout, stderr } = await host.inVm(guest.name, argv);
    assert.equal(status, 0, stderr);
    return Number(stdout);
  });
  return Promise.all(found);
};

test('a router beyond the uplink can tell a guest that its packets are too big, if the guest has sent some', async () => {
  await withSpoofingRig(async (rig) => {
    const { host, uplinkMac, seen } = rig;
    const router = { source: '00:16:3e:00:77:77', target: uplinkMac };
    const tell = (port: number): string[] => [
      fragmentationNeeded({ ...router, from: '192.0.2.50', to: spoofer.ipv4 }, 1280, {
        to: outside4,
        port,
      }),
      packetTooBig({ ...router, from: '2001:db8:ff::50', to: spoofer.ipv6 }, 1280, {
        to: outside6,
        port,
      }),
    ];
    const before = await seen();
    const discovered = mtus(rig, 100);
    // The guest has also received the world's port-unreachable errors.
    await until(
      'the guest has sent its datagrams',
      async () => (growth(before, await seen())['spoofer'] ?? 0) >= 2,
    );
    const untold = await seen();
    await sendFrom(host.sim, world, [...tell(7002), ...tell(7001)]);
    assert.deepEqual(await discovered, [1280, 1280]);
    const received = growth(untold, await seen())['spoofer'];
    assert.equal(received, 2, 'the guest received errors about packets that it never sent');
  });
});

test('net-vm tells a guest that its packets are too big for the uplink', async () => {
  await withSpoofingRig(async (rig) => {
    const { host } = rig;
    assert.equal((await host.inNetVm(['ip', 'link', 'set', 'eth0', 'mtu', '1400'])).status, 0);
    assert.deepEqual(await mtus(rig, 1450), [1400, 1400]);
  });
});
