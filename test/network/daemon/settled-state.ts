/** The state of a net-vm that has come to rest, and a net-vm without a trace of a daemon. */
import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Status } from '../../../src/network/status/status.ts';
import { gateway4, gateway6 } from '../../rig/host.ts';
import { orMissing } from '../../rig/sim/node-state.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { inNetVm } from '../../scenario/vms.ts';
import { slowness } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { withoutUse } from './listing.ts';
import { kernelState } from './net-vm.ts';

const listings = [
  ...['nft --stateless list ruleset', 'ip -o link', 'ip -o addr', 'ip neigh show nud permanent'],
  ...['ip neigh show proxy', 'ip route show table all', 'ip -6 route show table all'],
];

/** The status from the control socket, which takes less time than starting `vifwatch status`. */
export const statusOf = async (host: SimHost): Promise<Status> =>
  JSON.parse(await text(createConnection(`${host.sim.directory}/vifwatch/vifwatch.sock`)));

/** The backend's nodes as text; empty if dom0 has pruned the last vif together with its parents. */
const storeState = async (host: SimHost): Promise<string> => {
  const nodes = await orMissing(host.dom0.tree('/local/domain/2/backend'));
  return [...(nodes ?? [])].map(([path, value]) => `${path}=${value}`).join('\n');
};

const transient = ['LINK_FAILED', 'FIREWALL_FAILED', 'XENSTORE_FAILED'];

/**
 * Waits until nothing has changed for half a second (longer on a slow machine) and no change is pending.
 * @returns the state of kernel and xenstore as text
 */
export const settled = async (host: SimHost): Promise<string> => {
  const look = async (): Promise<string> => {
    const kernel = await inNetVm(host, ['sh', '-c', listings.join(';')]);
    return `${withoutUse(kernel)}${await storeState(host)}`;
  };
  const quietMs = 500 * (await slowness());
  let [last, since] = ['', 0];
  await until('kernel and xenstore are quiet', async () => {
    const now = await look();
    const { daemon, vifs } = await statusOf(host);
    const isBusy = vifs.some(
      ({ phase, error }) =>
        phase === 'configuring' || phase === 'closing' || transient.includes(error?.code ?? ''),
    );
    if (now !== last || isBusy || daemon?.trouble !== null) since = performance.now();
    last = now;
    // Each look takes processor time from the processes that still work.
    await delay(50);
    return performance.now() - since > quietMs;
  });
  const links = await inNetVm(host, ['ip', '-o', 'link', 'show', 'up']);
  const mtus = links.match(/(?<=: )vif\S+(?=@)| mtu \d+ /g) ?? [];
  return [await kernelState(host), ...mtus, await storeState(host)].join('\n');
};

/** Removes every trace of a daemon from net-vm, except for the names of links. */
export const wipe = async (host: SimHost): Promise<void> => {
  const links = (await inNetVm(host, ['ip', '-o', 'link'])).match(/(?<=: )vif[^@]+/g) ?? [];
  await inNetVm(host, ['nft', 'flush', 'ruleset']);
  for (const link of links) await inNetVm(host, ['ip', 'link', 'set', link, 'down']);
  for (const address of [gateway4, gateway6]) {
    await inNetVm(host, ['ip', 'addr', 'del', address, 'dev', 'lo']);
  }
  const left = await inNetVm(host, ['ip', 'route', 'show', 'table', 'all', 'proto', '86']);
  assert.equal(left, '', 'a route outlived its link');
};
