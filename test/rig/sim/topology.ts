/** The fast rig's network: net-vm with an uplink, the world beyond the uplink, and a namespace per guest. */
import { existsSync } from 'node:fs';
import { gateway4, gateway6, outside4, outside6 } from '../host.ts';
import { type IpBatch, startIpBatch } from './ip-batch.ts';
import type { Rig } from './rig.ts';

/** net-vm's addresses on its uplink `eth0`. */
const uplink4 = '192.0.2.2';
const uplink6 = '2001:db8:ff::2';

/** The network namespace of the machine beyond the uplink. */
const world = 'world';
export const namespaceOf = (domid: number): string => `dom${domid}`;

/** Starts an `ip` that can name all namespaces of the rig; if a namespace is given, it runs in that one. */
export const ipBatch = (rig: Rig, namespace?: string): IpBatch =>
  startIpBatch(rig.inRig(['ip', ...(namespace ? ['-n', namespace] : [])]), rig.env({ domid: 0 }));

/** Runs commands in a namespace. @throws Error with ip's message about the first failure */
const ipIn = async (rig: Rig, namespace: string, commands: readonly string[]): Promise<void> => {
  const batch = ipBatch(rig, namespace);
  try {
    for (const command of commands) await batch.run(command);
  } finally {
    await batch.close();
  }
};

const sysctl = async (rig: Rig, namespace: string, settings: readonly string[]): Promise<void> => {
  const argv = rig.inNamespace(namespace, ['busybox', 'sysctl', '-w', ...settings]);
  const { status, stderr } = await rig.run(argv, { domid: 0 });
  if (status !== 0) throw new Error(stderr);
};

/**
 * Makes net-vm, in which vifwatch has to switch on forwarding, and the world, which has routes to the guests.
 */
export const makeNetwork = async (rig: Rig, netVm: string): Promise<void> => {
  const batch = ipBatch(rig);
  await batch.run(`netns add ${world}`);
  await batch.run(`netns add ${netVm}`);
  await batch.run(`link add name eth0 netns ${netVm} type veth peer name eth0 netns ${world}`);
  await batch.close();
  // Without this, the first packets would wait until the uplink's link-local address is valid.
  const noDad = ['net.ipv6.conf.eth0.accept_dad=0'];
  await sysctl(rig, world, noDad);
  await sysctl(rig, netVm, noDad);
  await Promise.all([
    ipIn(rig, netVm, [
      'link set lo up',
      'link set eth0 up',
      `addr add ${uplink4}/24 dev eth0`,
      `addr add ${uplink6}/64 dev eth0 nodad`,
      `route add default via ${outside4}`,
      `route add default via ${outside6}`,
    ]),
    ipIn(rig, world, [
      'link set lo up',
      'link set eth0 up',
      `addr add ${outside4}/24 dev eth0`,
      `addr add ${outside6}/64 dev eth0 nodad`,
      `route add 10.0.5.0/24 via ${uplink4}`,
      `route add fd00:5::/64 via ${uplink6}`,
    ]),
  ]);
};

export const makeGuestNamespace = async (rig: Rig, domid: number): Promise<void> => {
  const batch = ipBatch(rig);
  await batch.run(`netns add ${namespaceOf(domid)}`);
  await batch.close();
  await Promise.all([
    ipIn(rig, namespaceOf(domid), ['link set lo up']),
    sysctl(rig, namespaceOf(domid), ['net.ipv6.conf.default.accept_dad=0']),
  ]);
};

/** Whether the guest has a namespace in the rig's mount namespace. */
export const hasNamespace = ({ holder }: Rig, domid: number): boolean =>
  existsSync(`/proc/${holder}/root/run/netns/${namespaceOf(domid)}`);

/** Kills the guest's processes and removes its namespace; its links must be gone. */
export const removeGuestNamespace = async (rig: Rig, domid: number): Promise<void> => {
  rig.killAll(domid);
  await rig.run(rig.inRig(['ip', 'netns', 'del', namespaceOf(domid)]), { domid: 0 });
};

/**
 * Configures a new vif in a guest: its first IPv4 and its first IPv6 address, with the gateway on the link.
 * The second and later vifs get worse metrics.
 * @param guest an `ip` in the guest's namespace
 */
export const configureGuest = async (
  guest: IpBatch,
  devid: number,
  addresses: readonly string[],
): Promise<void> => {
  const link = `eth${devid}`;
  const metric = `metric ${100 + devid}`;
  const hosts = addresses.map((address) => address.split('/')[0] ?? '');
  const ipv4 = hosts.find((host) => host.includes('.'));
  const ipv6 = hosts.find((host) => host.includes(':'));
  const commands = [`link set ${link} up`];
  if (ipv4) {
    commands.push(
      `addr add ${ipv4}/32 dev ${link}`,
      `route add ${gateway4} dev ${link} scope link ${metric}`,
      `route add default via ${gateway4} dev ${link} ${metric}`,
    );
  }
  if (ipv6) {
    commands.push(
      `addr add ${ipv6}/128 dev ${link} nodad`,
      `route add ${gateway6} dev ${link} ${metric}`,
      `route add default via ${gateway6} dev ${link} ${metric}`,
    );
  }
  for (const command of commands) await guest.run(command);
};
