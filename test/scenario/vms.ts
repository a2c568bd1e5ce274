/** The VMs that the scenarios create, and what the scenarios do to them over and over. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Host, VifSpec, VmSpec } from '../rig/host.ts';
import { slowness } from '../support/slowness.ts';

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

/** Waits until the guest's frontend and net-vm's netback are connected, for which the daemon must have done its part. */
const becomesConnected = async (host: Host, domid: number, devid: number): Promise<void> => {
  const path = `/local/domain/${host.netVm}/backend/vif/${domid}/${devid}/state`;
  const deadline = Date.now() + 20_000;
  while ((await host.read(path)) !== '4') {
    assert.ok(Date.now() < deadline, `${path} does not become 4`);
    await delay(10);
  }
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

/** What dom0 may take for a vif to go; without a working daemon it takes 10 s and fails. */
const quick = 3;

const assertQuick = async (seconds: number, what: string): Promise<void> => {
  if (seconds >= quick)
    assert.ok(seconds < quick * (await slowness()), `${what} took ${seconds} s`);
};

/** `xl destroy`, which must succeed and be quick. */
export const destroy = async (host: Host, vm: AppVm): Promise<void> => {
  const { status, stderr, seconds } = await host.destroy(vm.name);
  assert.equal(status, 0, stderr);
  await assertQuick(seconds, `destroying ${vm.name}`);
};

/** `xl network-detach`, which must succeed and be quick. */
export const detach = async (host: Host, vm: AppVm, devid: number): Promise<void> => {
  const { status, stderr, seconds } = await host.detach(vm.name, devid);
  assert.equal(status, 0, stderr);
  await assertQuick(seconds, `detaching ${vm.name}`);
};

/** Runs a command in net-vm that must succeed; resolves with what it printed. */
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

/** What net-vm's kernel says of the VM. */
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

/** Nothing in net-vm's kernel speaks of the VM any more; rules go after the link, for which dom0 does not wait. */
export const assertForgotten = async (host: Host, vm: AppVm): Promise<void> => {
  const deadline = Date.now() + 5_000;
  let traces = await tracesOf(host, vm);
  while (traces.length > 0 && Date.now() < deadline) {
    await delay(50);
    traces = await tracesOf(host, vm);
  }
  assert.deepEqual(traces, []);
};
