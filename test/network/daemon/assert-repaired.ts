/** Damages the daemon's state in net-vm's kernel and measures the time until the daemon has repaired it. */
import assert from 'node:assert/strict';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { withoutUse } from './listing.ts';

const promisedMs = 1_000;

const listings = [
  ...['inet', 'arp', 'netdev'].map((family) => `nft -s list table ${family} vifwatch`),
  'ip -o link show up',
  ...['ip route show table all proto 86', 'ip neigh show nud permanent', 'ip neigh show proxy'],
  'ip addr show dev lo',
].join(';');

/** Everything in net-vm's kernel that belongs to the daemon, without other programs' parts; sorted lines. */
export const ours = async (host: SimHost): Promise<string> => {
  const { stdout } = await host.inNetVm(['sh', '-c', listings]);
  const facts = withoutUse(stdout)
    .replaceAll(/ linkdown|^\d+: |(qdisc|state|link\/ether) .*$/gm, '')
    .replaceAll(/<[A-Z_,]*>/g, '')
    .split(/\n|, | = \{ | \}/)
    .map((fact) => fact.trim().replace(/,$/, ''));
  return facts.sort().join('\n');
};

/** Stops the daemon while the body runs. */
export const whileStopped = async (host: SimHost, body: () => Promise<void>): Promise<void> => {
  await host.signalDaemon('SIGSTOP');
  try {
    await body();
  } finally {
    await host.signalDaemon('SIGCONT');
  }
};

/**
 * Runs a damaging command while the daemon is stopped, so that the damage shows before the repair.
 * @returns the ms that the daemon needs for the repair once it continues
 */
const repairTime = async (host: SimHost, before: string, command: string): Promise<number> => {
  await whileStopped(host, async () => {
    await inNetVm(host, ['sh', '-c', command]);
    assert.notEqual(await ours(host), before, `${command} damages nothing`);
  });
  const start = performance.now();
  await until(`the daemon has repaired: ${command}`, async () => {
    return (await ours(host)) === before;
  }).catch(async (error: Error) => {
    assert.equal(await ours(host), before, error.message);
  });
  return performance.now() - start;
};

/** Runs the commands one after the other; the daemon must repair each command's damage within a second. */
export const assertRepaired = async (host: SimHost, commands: readonly string[]): Promise<void> => {
  const bound = await openBound(promisedMs);
  const before = await ours(host);
  for (const command of commands) {
    const ms = await repairTime(host, before, command);
    console.info(`${ms.toFixed(0)} ms: ${command}`);
    await bound.assertKept(ms, command);
  }
};
