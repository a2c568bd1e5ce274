/** A rig with a spoofing guest, an honest guest, a VM that is off, and witnesses everywhere else. */
import assert from 'node:assert/strict';
import { type Drops, parseDrops } from '../../../src/network/status/drops.ts';
import { gateway4, gateway6 } from '../../rig/host.ts';
import { sendFrom } from '../../rig/sim/send.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import type { SpoofedFrames } from '../../scenario/spoofed-frames.ts';
import { until } from '../../support/until.ts';
import { attachRaw, becomesConnected, macOf, withNetVm } from './net-vm.ts';

export const spoofer = { name: 'spoofer', ipv4: '10.0.5.41', ipv6: 'fd00:5::41' };
export const victim = { name: 'victim', ipv4: '10.0.5.40', ipv6: 'fd00:5::40' };
/** A VM that is off: only the configuration knows it. */
export const absent = { name: 'absent', ipv4: '10.0.7.9', ipv6: 'fd00:7::9' };

export const spoofingConfig = `uplink = ["eth0"]
gateway = ["${gateway4}", "${gateway6}"]
[[vm]]
name = "${absent.name}"
addresses = ["10.0.7.0/24", "${absent.ipv6}"]
[[vm]]
name = "${victim.name}"
addresses = ["${victim.ipv4}"]
`;

/** The namespaces of the rig that send and receive frames, besides the guests'. */
export const world = 'world';
const netVm = 'dom2';

export type SpoofingRig = {
  readonly host: SimHost;
  /** The guests' network namespaces and links, the spoofer's MAC, and the MAC of net-vm's uplink. */
  readonly spoofer: { readonly namespace: string; readonly mac: string; readonly link: string };
  readonly victim: { readonly namespace: string; readonly link: string };
  readonly uplinkMac: string;
  /** Runs nft in a namespace. */
  readonly nft: (namespace: string, command: string) => Promise<string>;
  readonly drops: () => Promise<Drops>;
  /** Each witness's count: frames at the world and at the guests, packets that passed net-vm's rules. */
  readonly seen: () => Promise<Readonly<Record<string, number>>>;
};

const nftIn =
  (host: SimHost) =>
  async (namespace: string, command: string): Promise<string> => {
    const argv = host.sim.inNamespace(namespace, ['nft', command]);
    const { status, stdout, stderr } = await host.sim.run(argv, { domid: 0 });
    assert.equal(status, 0, `${command}: ${stderr}`);
    return stdout;
  };

/** Counts the frames that arrive on eth0, except for those that match `ignored`. */
const frameWitness = (ignored: string): string =>
  `table netdev witness { counter seen { }; chain arrivals {
    type filter hook ingress device "eth0" priority 0;
    ${ignored} accept; counter name seen; }; }`;

/** Neighbour discovery and redirects are normal between net-vm and the world; a guest must get nothing. */
const nobody = 'ether type 0x9999';
const neighbours =
  'ether type arp accept; icmp type redirect accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-redirect, mld2-listener-report }';

/** Counts the link's packets that pass the rules. */
const packetWitness = (family: 'inet' | 'arp', link: string): string => {
  const chain = (hook: string): string =>
    `chain ${hook} { type filter hook ${hook} priority 1000; iifname "${link}" counter name seen; }`;
  const hooks = family === 'arp' ? ['input'] : ['input', 'forward'];
  return `table ${family} witness { counter seen { }; ${hooks.map(chain).join('; ')}; }`;
};

/** The witness's count in a family's table, from a listing of all counters. */
const packetsOf = (counters: string, family: string): number => {
  const witness = new RegExp(`table ${family} witness \\{\\s*counter seen \\{\\s*packets (\\d+)`);
  return Number(witness.exec(counters)?.[1]);
};

const serve = async (host: SimHost, vm: typeof spoofer): Promise<number> => {
  const guest = await host.create({ name: vm.name });
  // The MTU comes from dom0, so that it does not follow the uplink's.
  await attachRaw(host, guest, { ip: `${vm.ipv4} ${vm.ipv6}`, mtu: '1500' });
  await becomesConnected(host, guest);
  return guest;
};

/** Waits until the guests have announced themselves and are silent. */
export const becomesSilent = async ({ seen, drops }: Pick<SpoofingRig, 'seen' | 'drops'>) => {
  let before = '';
  await until('the rig is silent', async () => {
    const now = JSON.stringify([await seen(), await drops()]);
    const isSilent = now === before;
    before = now;
    return isSilent;
  });
};

/**
 * Runs the body with both guests connected and every witness in place.
 * @param moreConfig lines at the end of vifwatch.toml
 */
export const withSpoofingRig = (
  body: (rig: SpoofingRig) => Promise<void>,
  moreConfig = '',
): Promise<void> =>
  withNetVm(
    async (host) => {
      const [victimGuest, spoofingGuest] = [await serve(host, victim), await serve(host, spoofer)];
      const nft = nftIn(host);
      const link = `vif${spoofingGuest}.0`;
      const namespaceOf = (guest: number): string => `dom${guest}`;
      await nft(world, frameWitness(neighbours));
      for (const guest of [victimGuest, spoofingGuest])
        await nft(namespaceOf(guest), frameWitness(nobody));
      await nft(netVm, packetWitness('inet', link));
      await nft(netVm, packetWitness('arp', link));
      const frames = async (namespace: string): Promise<number> =>
        packetsOf(await nft(namespace, 'list counters'), 'netdev');
      const seen = async (): Promise<Record<string, number>> => {
        const counters = await nft(netVm, 'list counters');
        return {
          world: await frames(world),
          victim: await frames(namespaceOf(victimGuest)),
          spoofer: await frames(namespaceOf(spoofingGuest)),
          netVm: packetsOf(counters, 'inet'),
          netVmArp: packetsOf(counters, 'arp'),
        };
      };
      const drops = async (): Promise<Drops> =>
        parseDrops((await host.inNetVm(['nft', '-j', 'list', 'counters'])).stdout);
      const { stdout } = await host.inNetVm(['cat', '/sys/class/net/eth0/address']);
      // rp_filter, the second line of defence, would hide gaps in the first.
      for (const where of ['all', link]) {
        const setting = `net.ipv4.conf.${where}.rp_filter=0`;
        assert.equal((await host.inNetVm(['busybox', 'sysctl', '-w', setting])).status, 0);
      }
      await becomesSilent({ seen, drops });
      await body({
        host,
        spoofer: { namespace: namespaceOf(spoofingGuest), mac: macOf(spoofingGuest), link },
        victim: { namespace: namespaceOf(victimGuest), link: `vif${victimGuest}.0` },
        uplinkMac: stdout.trim(),
        nft,
        drops,
        seen,
      });
    },
    { config: `${spoofingConfig}${moreConfig}` },
  );

/** The counts that grew between two states, with their growth. */
export const growth = (
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(after).flatMap(([name, count]) => {
      const more = count - (before[name] ?? 0);
      return more === 0 ? [] : [[name, more]];
    }),
  );

/**
 * Sends the frames three times from a namespace: exactly their counters count them, and no witness sees any.
 * @param uncounted frames that the kernel itself drops without a counter; they are sent first
 */
export const assertPassNothing = async (
  { host, drops, seen }: SpoofingRig,
  from: string,
  spoofed: SpoofedFrames,
  uncounted: readonly string[] = [],
): Promise<void> => {
  const [dropped, witnessed] = [await drops(), await seen()];
  const frames = [...uncounted, ...Object.values(spoofed).flat()];
  await sendFrom(host.sim, from, [...frames, ...frames, ...frames]);
  const expected = Object.fromEntries(
    Object.entries(spoofed).map(([counter, { length }]) => [counter, 3 * length]),
  );
  let counted: Readonly<Record<string, number>> = {};
  // A veth delivers a frame before the sender's call returns, except on a busy machine.
  await until('all frames are counted', async () => {
    counted = growth(dropped, await drops());
    return Object.entries(expected).every(([counter, count]) => (counted[counter] ?? 0) >= count);
  }).catch((error: Error) => assert.deepEqual(counted, expected, error.message));
  assert.deepEqual(counted, expected);
  assert.deepEqual(growth(witnessed, await seen()), {}, 'a witness saw the frames');
};

/** Makes net-vm itself send to an address; it does not matter whether this is refused or answered. */
export const trySending = async ({ host }: SpoofingRig, address: string): Promise<void> => {
  const argv = ['busybox', 'ping', '-c', '1', '-W', '1', address];
  const { stdout } = await host.inNetVm(argv);
  assert.match(stdout, /^PING /);
};
