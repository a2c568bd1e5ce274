/**
 * Another program gets a vif's packets before the firewall does: the daemon sets the vif down, reports it, and
 * opens the vif again when that is over. Other vifs are served as usual.
 */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { outside4 } from '../../rig/host.ts';
import { sendFrom } from '../../rig/sim/send.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { create, inNetVm, mail, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { udp4 } from './frames.ts';
import { becomesConnected, becomesRefused, isUp, macOf, status, withNetVm } from './net-vm.ts';

const shell = (host: SimHost, line: string) => inNetVm(host, ['sh', '-ec', line]);

const mirror = 'action mirred egress mirror dev eth0';
const acts = {
  'a bridge': ['ip link add br0 up type bridge; ip link set dev VIF master br0', 'ip link del br0'],
  'a macvlan': ['ip link add mv0 up link VIF type macvlan mode bridge', 'ip link del mv0'],
  'a tc filter': [
    `tc qdisc add dev VIF clsact; tc filter add dev VIF ingress u32 match u32 0 0 ${mirror}`,
    'tc qdisc del dev VIF clsact',
  ],
  'an ingress qdisc': ['tc qdisc add dev VIF ingress', 'tc qdisc del dev VIF ingress'],
} as const;

/** Attaches a program with a bpf_link, which lives as long as this process: \`attach IFINDEX PROGRAM-TYPE ATTACH-TYPE\`. */
const attach = `
import ctypes, struct, sys, time
index, kind, place = map(int, sys.argv[1:])
libc = ctypes.CDLL(None, use_errno=True)
def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(160, b"\\0"), 160)
    result = libc.syscall(321, command, buffer, 160)
    if result < 0: raise OSError(ctypes.get_errno(), "bpf")
    return result
code = ctypes.create_string_buffer(struct.pack("<BBhiBBhi", 0xb7, 0, 0, 2, 0x95, 0, 0, 0))
license = ctypes.create_string_buffer(b"GPL")
program = bpf(5, struct.pack("<IIQQ", kind, 2, ctypes.addressof(code), ctypes.addressof(license)))
link = bpf(28, struct.pack("<IIII", program, index, place, 2 if kind == 6 else 0))
print("attached", flush=True)
time.sleep(3600)
`;

test.concurrent.each([
  ['an XDP program', 6, 37],
  ['a TCX program', 3, 46],
])('%s of a bpf_link closes its vif until it is gone', (_, kind, place) =>
  withNetVm(async (host) => {
    const domid = await create(host, web);
    await assertReaches({ host, from: web }, outside4);
    const index = (await inNetVm(host, ['cat', `/proc/self/net/dev_mcast`])).match(
      new RegExp(`^(\\d+)\\s+vif${domid}\\.0`, 'm'),
    )?.[1];
    const argv = ['python3', '-c', attach, index ?? '', `${kind}`, `${place}`];
    const inside = host.sim.inNamespace(namespaceOf(host.netVm), argv);
    const program = host.sim.start('attach', inside, { domid: 0 });
    await until('the program is attached', () => program.log().includes('attached'));
    await becomesRefused(host, domid, 'LINK_ATTACHED');
    await program.kill();
    await becomesConnected(host, domid);
    await assertReaches({ host, from: web }, outside4);
  }),
);

test.concurrent.each(Object.entries(acts))(
  '%s closes its vif and no other, until it is gone, also across a restart',
  (_, [act, undo]) =>
    withNetVm(async (host) => {
      const domid = await create(host, web);
      await create(host, mail);
      const link = `vif${domid}.0`;
      await assertReaches({ host, from: web }, outside4);
      await shell(host, act.replaceAll('VIF', link));
      const entry = await becomesRefused(host, domid, 'LINK_ATTACHED');
      assert.match(entry?.error?.text ?? '', new RegExp(`${link}, which has .*; remove it: `));
      await until('the link is down', async () => (await isUp(host, link)) === false);
      await assertReaches({ host, from: mail }, outside4);
      await host.signalDaemon('SIGKILL');
      await shell(host, `ip link set dev ${link} up`);
      await host.startDaemon();
      await until('the link is down', async () => (await isUp(host, link)) === false);
      await shell(host, undo.replaceAll('VIF', link));
      await becomesConnected(host, domid);
      await assertReaches({ host, from: web }, outside4);
      await until('status is healthy', async () => (await status(host)).healthy);
    }),
);

test.concurrent('in panic mode, a bridged vif passes nothing to the LAN', () =>
  withNetVm(async (host) => {
    const domid = await create(host, web);
    await host.signalDaemon('SIGKILL');
    await shell(host, 'ip link add br0 up type bridge; ip link set dev eth0 master br0');
    await shell(host, `ip link set dev vif${domid}.0 master br0`);
    const mac = macOf(domid);
    const witness = `table netdev witness { chain arrivals {
      type filter hook ingress device "eth0" priority 0; ether saddr ${mac} counter; }; }`;
    const nftInWorld = async (command: string): Promise<string> => {
      const argv = host.sim.inNamespace('world', ['nft', command]);
      return (await host.sim.run(argv, { domid: 0 })).stdout;
    };
    await nftInWorld(witness);
    const target = 'ff:ff:ff:ff:ff:ff';
    const frame = udp4({ source: mac, target, from: '10.9.9.9', to: '10.9.9.10' }, 7777);
    const arrived = async (): Promise<number> => {
      const listing = await nftInWorld('list table netdev witness');
      return Number(/packets (\d+)/.exec(listing)?.[1]);
    };
    await until('a frame crosses the bridge', async () => {
      await sendFrom(host.sim, namespaceOf(domid), [frame]);
      return (await arrived()) > 0;
    });
    await inNetVm(host, ['vifwatch', 'panic']);
    const before = await arrived();
    await sendFrom(host.sim, namespaceOf(domid), [frame, frame, frame]);
    assert.equal(await arrived(), before);
  }));

test.concurrent('a vif that another program moves to another namespace is reported', () =>
  withNetVm(async (host) => {
    const domid = await create(host, web);
    const link = `vif${domid}.0`;
    const argv = host.sim.inNamespace(namespaceOf(host.netVm), ['unshare', '-n', 'sleep', '600']);
    const { pid } = host.sim.start('elsewhere', argv, { domid: 0 });
    const namespaces = `"$(readlink /proc/${pid}/ns/net)" = "$(readlink /proc/self/ns/net)"`;
    await until('the other namespace exists', async () => {
      const { stdout } = await host.inNetVm([
        'sh',
        '-c',
        `[ ${namespaces} ] || cat /proc/${pid}/comm`,
      ]);
      return stdout.trim() === 'sleep';
    });
    await shell(host, `ip link set dev ${link} netns ${pid}`);
    await until('the vif is reported', async () => {
      const { vifs } = await status(host);
      return vifs.some(({ error }) => error?.code === 'LINK_MISSING');
    });
  }));
