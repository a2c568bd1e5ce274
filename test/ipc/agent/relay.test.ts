/** The relay passes calls on, and gives them time to end when it stops. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openRelay } from '../../../src/ipc/agent/relay.ts';
import type { Outcome } from '../../../src/ipc/protocol/call.ts';
import { deferred } from '../../../src/system/deferred.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { answeringLink, exited, incomingCall } from './fake-calls.ts';
import { fakeLink, memoryLog, untilAborted, vm } from './fake-peers.ts';

/** A relay whose calls to `mail` end as `outcome` does. Links with other VMs never come up. */
const opened = () => {
  const clock = createFakeClock();
  const outcome = deferred<Outcome>();
  const mail = answeringLink(exited);
  const link = fakeLink(0, {
    open: (request) => ({ ...mail.link.open(request), outcome: outcome.promise }),
  });
  const { log, lines } = memoryLog();
  const relay = openRelay({
    linkWith: (_name, signal) => untilAborted(signal),
    linkNow: (name) => (name === 'mail' ? link : undefined),
    log,
    rateLimitLog: (_peer, write) => write(undefined),
    clock,
  });
  const forward = (to: string) => {
    const { call, ended, cancel } = incomingCall(to, 'input');
    const forwarded = relay.forward(vm('web'), vm(to), call);
    return { forwarded, ended, cancel };
  };
  /** Closes the relay; the function says whether it has closed. */
  const close = () => {
    let isClosed = false;
    void relay.close().then(() => {
      isClosed = true;
    });
    return async () => {
      await setImmediate();
      return isClosed;
    };
  };
  return { relay, forward, close, clock, outcome, lines, requests: mail.requests };
};

test('a call goes to its target with its source, and counts until it has ended', async () => {
  const { relay, forward, outcome, lines, requests } = opened();
  const { forwarded, ended } = forward('mail');
  expect(relay.underWay()).toBe(1);
  outcome.resolve(exited);
  expect(await ended()).toEqual({ end: 'exit 0', output: 'input' });
  await forwarded;
  expect(relay.underWay()).toBe(0);
  const call = { service: 'sign', argument: 'key1' };
  expect(requests).toEqual([{ ...call, target: '', source: 'web' }]);
  expect(lines).toEqual([
    { level: 30, from: 'web', to: 'mail', ...call, msg: 'a call is relayed' },
  ]);
});

test('a cancelled call counts until its target has ended it', async () => {
  const { relay, forward, outcome } = opened();
  const { forwarded, ended, cancel } = forward('mail');
  cancel();
  await ended();
  await setImmediate();
  expect(relay.underWay()).toBe(1);
  outcome.resolve(exited);
  await forwarded;
  expect(relay.underWay()).toBe(0);
});

test('a relay without calls closes after 250 ms', async () => {
  const { close, clock } = opened();
  const isClosed = close();
  clock.advance(249);
  expect(await isClosed()).toBe(false);
  clock.advance(1);
  expect(await isClosed()).toBe(true);
});

test('a relay that stops waits for its calls', async () => {
  const { forward, close, clock, outcome } = opened();
  const { forwarded } = forward('mail');
  const isClosed = close();
  clock.advance(2_999);
  expect(await isClosed()).toBe(false);
  outcome.resolve(exited);
  await forwarded;
  expect(await isClosed()).toBe(true);
});

test('a relay that stops waits at most three seconds', async () => {
  const { relay, forward, close, clock } = opened();
  forward('mail');
  const isClosed = close();
  clock.advance(3_000);
  expect(await isClosed()).toBe(true);
  expect(relay.underWay()).toBe(1);
});
