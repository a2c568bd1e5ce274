/** The list of peers shows a bounded number of VMs that are called over a relay. */
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openRelayedCalls } from '../../../src/ipc/agent/relayed-calls.ts';
import type { VmName } from '../../../src/ipc/config/vm-name.ts';
import type { Outcome } from '../../../src/ipc/protocol/call.ts';

/** A call that ends with `outcome`, or never ends. */
const callThat = (outcome?: Outcome) => ({
  stdin: new PassThrough(),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  outcome: outcome === undefined ? new Promise<Outcome>(() => {}) : Promise.resolve(outcome),
  cancel: () => {},
});

const refused = (code: 'denied' | 'unreachable'): Outcome => ({
  kind: 'refused',
  refusal: { code, text: 'no' },
});

test('the list shows VMs with calls under way, and up to 256 VMs that the relay has reached', async () => {
  const relayed = openRelayedCalls();
  const call = (name: string, outcome?: Outcome) => relayed.add(name as VmName, callThat(outcome));
  call('runs');
  call('runs');
  call('nobody', refused('unreachable'));
  call('somebody', { kind: 'exited', status: 3 });
  await setImmediate();
  const shown = relayed.addTo([], true).map(({ name, streams }) => [name, streams]);
  expect(shown).toEqual([
    ['runs', 2],
    ['somebody', 0],
  ]);
  expect(relayed.addTo([], false)).toHaveLength(1);
  for (let vm = 0; vm < 1000; vm += 1) {
    call(`vm${vm}`, refused('denied'));
    await setImmediate();
  }
  expect(relayed.addTo([], true)).toHaveLength(256);
});
