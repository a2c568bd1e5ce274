/** Whose a call is that came over a link, and whom it is for. */
import { expect, test } from 'vitest';
import { classifyCall } from '../../../src/ipc/agent/classify-call.ts';
import type { VmName } from '../../../src/ipc/config/vm-name.ts';
import type { CallRequest } from '../../../src/ipc/protocol/call.ts';

const classify = (relay: string | undefined, caller: string, who: Partial<CallRequest>) => {
  const context = { self: 'sa-vm', relay: relay as VmName | undefined };
  const request = { target: '', service: 'sign', argument: 'key1', ...who };
  return classifyCall(context, caller as VmName, request);
};

const own = { kind: 'call', source: 'web', via: undefined };
const denied = { kind: 'refused', refusal: { code: 'denied' } };
const unreachable = { kind: 'refused', refusal: { code: 'unreachable' } };

test.each([
  ['a call', undefined, {}, own],
  ['a call of the relay', 'web', {}, own],
  ['a call to this VM by its name', undefined, { target: 'sa-vm' }, own],
  ['one to pass on, by no relay', undefined, { target: 'mail' }, unreachable],
  ['one to pass on, by who has a relay', 'web', { target: 'mail' }, unreachable],
  ['one to pass on', 'sa-vm', { target: 'mail' }, { kind: 'to-relay', target: 'mail' }],
  ['one to pass on to nobody', 'sa-vm', { target: 'm.ail' }, unreachable],
  ['one to pass back', 'sa-vm', { target: 'web' }, unreachable],
  ['one for another VM, without a relay', undefined, { source: 'mail' }, denied],
  ['one for another VM, not from the relay', 'mgmt', { source: 'mail' }, denied],
  ['one for another VM, at a relay', 'sa-vm', { source: 'mail' }, denied],
  ['one for this VM itself', 'web', { source: 'sa-vm' }, denied],
  ['one for the relay', 'web', { source: 'web' }, denied],
  ['one for no VM', 'web', { source: 'm.ail' }, denied],
  ['one for another VM', 'web', { source: 'mail' }, { kind: 'call', source: 'mail', via: 'web' }],
])('%s', (_what, relay, who, expected) => {
  expect(classify(relay, 'web', who)).toMatchObject(expected);
});
