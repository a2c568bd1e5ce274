/** The scenarios' VMs, and operations that many scenarios need. */
import assert from 'node:assert/strict';
import type { Host, Toolstack, VifSpec, VmSpec } from '../rig/host.ts';
import { type Bound, openBound } from '../support/slowness.ts';
import { until } from '../support/until.ts';

type AppVm = VmSpec & {
  readonly ipv4: string;
  readonly ipv6: string;
  readonly mac: string;
  readonly vif: VifSpec;
};

const appVm = (name: string, host: string): AppVm => {
  const mac = `00:16:3e:05:00:${host.padStart(2, '0')}`;
  const [ipv4, ipv6] = [`10.0.5.${host}`, `fd00:5::${host}`];
  return { name, ipv4, ipv6, mac, vif: { mac, ip: `${ipv4} ${ipv6}` } };
};

export const web = appVm('web', '7');
export const mail = appVm('mail', '8');

/**
 * Waits until the guest's frontend and net-vm's netback are connected, which needs the daemon's
 * hotplug-status.
 */
const becomesConnected = async (host: Host, domid: number, devid: number): Promise<void> => {
  const path = `/local/domain/${host.netVm}/backend/vif/${domid}/${devid}/state`;
  await until(`${path} becomes 4`, async () => (await host.read(path)) === '4');
};

/** `xl create`, until the vif is connected; resolves with the domid. */
export const create = async (host: Host, vm: AppVm): Promise<number> => {
  const domid = await host.create(vm);
  await becomesConnected(host, domid, 0);
  return domid;
};

/** `xl network-attach`, until the vif is connected; resolves with the devid. */
export const attach = async (host: Host, vm: AppVm, domid: number): Promise<number> => {
  const devid = await host.attach(vm.name, vm.vif);
  await becomesConnected(host, domid, devid);
  return devid;
};

/** Seconds for dom0 to remove a vif; without a working daemon, xl fails after 10 s. */
const quick = 3;

/**
 * Each host's bound, opened only before its first operation, because opening takes as long as some
 * operations.
 */
const bounds = new WeakMap<Host, Promise<Bound>>();

const assertQuick = async (
  host: Host,
  what: string,
  operation: () => Promise<Toolstack>,
): Promise<void> => {
  const bound = bounds.get(host) ?? openBound(quick, () => host.slowness());
  bounds.set(host, bound);
  const { assertKept } = await bound;
  const { status, stderr, seconds } = await operation();
  assert.equal(status, 0, stderr);
  await assertKept(seconds, what);
};

/** `xl destroy`, which must succeed within the bound. */
export const destroy = (host: Host, { name }: VmSpec): Promise<void> =>
  assertQuick(host, `seconds to destroy ${name}`, () => host.destroy(name));

/** `xl network-detach`, which must succeed within the bound. */
export const detach = (host: Host, { name }: VmSpec, devid: number): Promise<void> =>
  assertQuick(host, `seconds to detach ${name}`, () => host.detach(name, devid));

/** Runs a command in net-vm that must succeed; resolves with its output. */
export const inNetVm = async (host: Host, argv: readonly string[]): Promise<string> => {
  const { status, stdout, stderr } = await host.inNetVm(argv);
  assert.equal(status, 0, `${argv.join(' ')}: ${stderr}`);
  return stdout;
};

/** Runs a command in a VM that must succeed. */
export const inVm = async (host: Host, vm: AppVm, argv: readonly string[]): Promise<void> => {
  const { status, stderr } = await host.inVm(vm.name, argv);
  assert.equal(status, 0, `${argv.join(' ')}: ${stderr}`);
};

/** The lines of net-vm's kernel state that contain an address of the VM. */
const tracesOf = async (host: Host, vm: AppVm): Promise<readonly string[]> => {
  const state = await Promise.all([
    inNetVm(host, ['ip', 'route', 'show', 'table', 'all']),
    inNetVm(host, ['ip', '-6', 'route', 'show', 'table', 'all']),
    inNetVm(host, ['ip', 'neigh']),
    inNetVm(host, ['nft', 'list', 'ruleset']),
  ]);
  const lines = state.flatMap((listing) => listing.split('\n'));
  const words = [vm.ipv4, vm.ipv6, vm.mac].map((trace) => trace.replaceAll('.', '\\.'));
  return lines.filter((line) =>
    new RegExp(`(?<![\\w.:])(${words.join('|')})(?![\\w.:])`).test(line),
  );
};

/**
 * Asserts that net-vm's kernel state contains the VM's addresses, which proves that `assertForgotten` can see
 * them.
 */
export const assertKnown = async (host: Host, vm: AppVm): Promise<void> => {
  const traces = (await tracesOf(host, vm)).join('\n');
  for (const word of [vm.ipv4, vm.ipv6, vm.mac]) assert.ok(traces.includes(word), word);
};

/**
 * Waits until net-vm's kernel state has no trace of the VM. Rules go after the link, and dom0 does not wait
 * for them.
 */
export const assertForgotten = async (host: Host, vm: AppVm): Promise<void> => {
  let traces: readonly string[] = [];
  const isForgotten = async (): Promise<boolean> => {
    traces = await tracesOf(host, vm);
    return traces.length === 0;
  };
  try {
    await until(`${vm.name} is forgotten`, isForgotten);
  } finally {
    assert.deepEqual(traces, []);
  }
};
