/** A call over the relay, and its second attempt over a direct link. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createCallOverRelay } from '../../../src/ipc/agent/call-over-relay.ts';
import type { VmName } from '../../../src/ipc/config/vm-name.ts';
import type { Mux } from '../../../src/ipc/protocol/mux.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { answeringLink, exited, incomingCall, refusedAs } from './fake-calls.ts';
import { untilAborted, vm } from './fake-peers.ts';

type Reach = (name: VmName, signal: AbortSignal) => Promise<Mux>;

/** Calls `mail` over the relay `hub`, with links that are up at once or that `reach` gives. */
const opened = (reach: Reach, up: Readonly<Record<string, Mux>> = {}) => {
  const sought: string[] = [];
  const counted: string[] = [];
  const clock = createFakeClock();
  const callOverRelay = createCallOverRelay({
    peers: { linkNow: (name) => up[name], reach, seek: (name) => sought.push(name) },
    relayed: { add: (name) => counted.push(name) },
    clock,
  });
  const place = async (input = '') => {
    const { call, ended } = incomingCall('mail', input);
    await callOverRelay(call, vm('mail'), vm('hub'));
    return await ended();
  };
  return { callOverRelay, place, sought, counted, clock };
};

const waits: Reach = (_name, signal) => untilAborted(signal);
const own = { target: '', service: 'sign', argument: 'key1' };
const relayedRequest = { ...own, target: 'mail' };

test('a call goes over the link with the relay, and a direct link is sought', async () => {
  const hub = answeringLink(exited);
  const { place, sought, counted } = opened(waits, { hub: hub.link });
  expect(await place('input')).toEqual({ end: 'exit 0', output: 'input' });
  expect(hub.requests).toEqual([relayedRequest]);
  expect([sought, counted]).toEqual([['mail'], ['mail']]);
});

test('a direct link that comes up first is used', async () => {
  const mail = answeringLink(exited);
  const reach: Reach = (name, signal) =>
    name === 'mail' ? Promise.resolve(mail.link) : waits(name, signal);
  const { place, counted } = opened(reach);
  expect(await place()).toMatchObject({ end: 'exit 0' });
  expect(mail.requests).toEqual([own]);
  expect(counted).toEqual([]);
});

test('a call that the relay cannot pass on is repeated over a direct link, with all its input', async () => {
  const hub = answeringLink(refusedAs('unreachable', 'no link with mail'));
  const mail = answeringLink(exited);
  const { place } = opened(async () => mail.link, { hub: hub.link });
  expect(await place('input')).toEqual({ end: 'exit 0', output: 'input' });
  expect([hub.requests, mail.requests]).toEqual([[relayedRequest], [own]]);
});

test('without a direct link in time, the call ends as the relay has refused it', async () => {
  const hub = answeringLink(refusedAs('unreachable', 'no link with mail'));
  const { place, clock } = opened(waits, { hub: hub.link });
  const placed = place();
  await setImmediate();
  clock.advance(1_000);
  expect(await placed).toMatchObject({ end: 'unreachable: over relay hub: no link with mail' });
});

test('a call that its target has refused is not repeated', async () => {
  const hub = answeringLink(refusedAs('denied', "denied by the called VM's policy"));
  const mail = answeringLink(exited);
  const { place } = opened(async () => mail.link, { hub: hub.link });
  expect(await place()).toMatchObject({ end: "denied: denied by the called VM's policy" });
  expect(mail.requests).toEqual([]);
});

test('a call is not sent to a relay whose agent is too old; the error names both reasons', async () => {
  const old = answeringLink(exited, 1);
  const reach: Reach = async (name) => {
    if (name === 'hub') return old.link;
    throw new Error('VM mail is not in /ipc/domain-map');
  };
  const { place } = opened(reach, { hub: old.link });
  const why = 'VM mail is not in /ipc/domain-map; the agent of hub is too old to relay calls';
  await expect(place()).rejects.toThrow(why);
  expect(old.requests).toEqual([]);
});

test('a cancelled call stops its search for a link', async () => {
  const { callOverRelay } = opened(waits);
  const { call, cancel } = incomingCall('mail');
  const called = callOverRelay(call, vm('mail'), vm('hub'));
  cancel();
  await expect(called).rejects.toThrow('aborted');
});
