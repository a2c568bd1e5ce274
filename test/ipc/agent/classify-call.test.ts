/** The agent finds out the source and the target of a call that came over a link. */
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
  ['a call of the peer is its own', undefined, {}, own],
  ["a call of the relay is the relay's own", 'web', {}, own],
  ["a call to this VM's name is for this VM", undefined, { target: 'sa-vm' }, own],
  ['a VM without a relay does not relay', undefined, { target: 'mail' }, unreachable],
  ['a VM whose relay is another VM does not relay', 'web', { target: 'mail' }, unreachable],
  [
    'a relay relays to the target',
    'sa-vm',
    { target: 'mail' },
    { kind: 'to-relay', target: 'mail' },
  ],
  ['a relay refuses an invalid target name', 'sa-vm', { target: 'm.ail' }, unreachable],
  ['a relay does not relay back to the caller', 'sa-vm', { target: 'web' }, unreachable],
  ['a VM without a relay denies a vouched source', undefined, { source: 'mail' }, denied],
  [
    'a VM denies a source vouched for by a peer other than its relay',
    'mgmt',
    { source: 'mail' },
    denied,
  ],
  ['a relay denies a vouched source', 'sa-vm', { source: 'mail' }, denied],
  ['the relay cannot vouch for the target itself', 'web', { source: 'sa-vm' }, denied],
  ['the relay cannot vouch for itself', 'web', { source: 'web' }, denied],
  ['the relay cannot vouch for an invalid name', 'web', { source: 'm.ail' }, denied],
  [
    'the relay vouches for another VM',
    'web',
    { source: 'mail' },
    { kind: 'call', source: 'mail', via: 'web' },
  ],
])('%s', (_what, relay, who, expected) => {
  expect(classify(relay, 'web', who)).toMatchObject(expected);
});
