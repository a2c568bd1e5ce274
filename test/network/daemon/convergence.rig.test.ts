/** After any events in any order, the state equals that of a daemon which starts only at the end. */
import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { test } from 'vitest';
import type { Status } from '../../../src/network/status/status.ts';
import { gateway4, gateway6 } from '../../rig/host.ts';
import { orMissing } from '../../rig/sim/node-state.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif } from '../../rig/sim/toolstack.ts';
import { printFigures } from '../../support/figures.ts';
import { seed } from '../../support/seed.ts';
import { slowness } from '../../support/slowness.ts';
import { hangMs, until } from '../../support/until.ts';
import { attachRaw, backend, becomesConnected, kernelState, place, withNetVm } from './net-vm.ts';
import { type Event, events, openRandomEvents } from './random-events.ts';

/** `npm run nightly` asks for 100. */
const { VIFWATCH_SEQUENCES = '6' } = process.env;
const sequences = Number(VIFWATCH_SEQUENCES);

const listings = [
  ...['nft --stateless list ruleset', 'ip -o link', 'ip -o addr', 'ip neigh show nud permanent'],
  ...['ip neigh show proxy', 'ip route show table all', 'ip -6 route show table all'],
];

const inNetVm = async (host: SimHost, argv: readonly string[]): Promise<string> => {
  const { stdout, stderr, status } = await host.inNetVm(argv);
  assert.equal(status, 0, stderr);
  return stdout;
};

/** The status from the control socket, which takes less time than starting `vifwatch status`. */
const statusOf = async (host: SimHost): Promise<Status> =>
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
const settled = async (host: SimHost): Promise<string> => {
  const look = async (): Promise<string> => {
    const kernel = await inNetVm(host, ['sh', '-c', listings.join(';')]);
    return `${kernel}${await storeState(host)}`;
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
const wipe = async (host: SimHost): Promise<void> => {
  const links = (await inNetVm(host, ['ip', '-o', 'link'])).match(/(?<=: )vif[^@]+/g) ?? [];
  await inNetVm(host, ['nft', 'flush', 'ruleset']);
  for (const link of links) await inNetVm(host, ['ip', 'link', 'set', link, 'down']);
  for (const address of [gateway4, gateway6]) {
    await inNetVm(host, ['ip', 'addr', 'del', address, 'dev', 'lo']);
  }
  const left = await inNetVm(host, ['ip', 'route', 'show', 'table', 'all', 'proto', '86']);
  assert.equal(left, '', 'a route outlived its link');
};

/** The phases of vifs at the end of any sequence. */
const phases = new Set<string>();

/** Asserts that xenstore agrees with the status, and that no error outlives its cause. */
const assertTold = async (host: SimHost): Promise<void> => {
  for (const { domid, devid, phase, error } of (await statusOf(host)).vifs) {
    phases.add(phase);
    const read = (node: string) => host.read(`${backend(domid, devid)}/${node}`);
    const reported = { status: await read('hotplug-status'), error: await read('hotplug-error') };
    if (phase === 'error')
      assert.deepEqual(reported, { status: 'error', error: `vifwatch: ${error?.code}` });
    else assert.equal(reported.error, undefined, `vif ${domid}/${devid} is ${phase}`);
    if (phase === 'connected') assert.equal(reported.status, 'connected');
  }
};

let ended = 0;

const endsAsIfNew = async (sequence: readonly Event[]): Promise<void> => {
  await withNetVm(async (host) => {
    const { happen, start } = openRandomEvents(host);
    for (const event of sequence) await happen(event);
    await start();
    // The next vif change makes the daemon find foreign changes to the firewall.
    const last = await host.create({ name: 'last' });
    await attachRaw(host, last, { ip: '10.0.5.99' });
    await becomesConnected(host, last);
    assert.deepEqual(await removeVif(host.dom0, place(last)), []);
    const lived = await settled(host);
    await assertTold(host);
    await host.signalDaemon('SIGTERM');
    await wipe(host);
    await host.startDaemon();
    assert.equal(lived, await settled(host));
    ended += 1;
  });
};

const usual = { vifname: undefined, mtu: undefined };

/** The sequence ends with two served vifs and one refused vif. */
const known: readonly Event[] = [
  { does: 'attach', pick: 0, nodes: { ...usual, ip: '10.0.5.50' } },
  { does: 'attach', pick: 0, nodes: { ...usual, ip: '10.0.5.50' } },
  { does: 'attach', pick: 1, nodes: { ...usual, ip: '10.0.5.51 fd00:5::51' } },
  { does: 'kill', pick: 0 },
  { does: 'damage', pick: 0, command: 'nft flush ruleset' },
  { does: 'attach', pick: 0, nodes: { ...usual, ip: '10.9.0.0/24' } },
  { does: 'start', pick: 0 },
  { does: 'detach', pick: 2 },
];

test(`${sequences} event sequences, all random but the first, end in the state of a new daemon`, {
  timeout: sequences * hangMs,
}, async () => {
  const property = fc.asyncProperty(
    fc.array(events, { minLength: 10, maxLength: 25 }),
    endsAsIfNew,
  );
  // There is no shrinking: it takes long, and two dozen events are readable.
  const examples: [Event[]][] = [[[...known]]];
  await fc.assert(property, { numRuns: sequences, endOnFailure: true, examples, seed });
  assert.ok(phases.has('connected') && phases.has('error'), [...phases].join());
  printFigures({ sequences: ended, seed });
});
