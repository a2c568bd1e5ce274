/** After any events in any order, the state equals that of a daemon which starts only at the end. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif } from '../../rig/sim/toolstack.ts';
import { printFigures } from '../../support/figures.ts';
import { seed } from '../../support/seed.ts';
import { hangMs } from '../../support/until.ts';
import { attachRaw, backend, becomesConnected, place, withNetVm } from './net-vm.ts';
import { type Event, events, openRandomEvents } from './random-events.ts';
import { settled, statusOf, wipe } from './settled-state.ts';

/** `npm run nightly` asks for 100. */
const { VIFWATCH_SEQUENCES = '6' } = process.env;
const sequences = Number(VIFWATCH_SEQUENCES);

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
