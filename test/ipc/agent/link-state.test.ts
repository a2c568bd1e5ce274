/** The state that `vifwatch peers` shows for a link, and the wait for the link. */
import { expect, test } from 'vitest';
import { openLinkState } from '../../../src/ipc/agent/link-state.ts';
import { domidOf } from '../../support/domid.ts';
import { fakeLink, vm } from './fake-peers.ts';

/** A state whose clock stands at `at.ms`. */
const opened = () => {
  const at = { ms: 0 };
  return { at, state: openLinkState(vm('a'), 'client', () => new Date(at.ms)) };
};

const linkWith = (bytesIn: number, bytesOut: number) =>
  fakeLink(0, {
    statistics: () => ({ streams: 2, bytesIn, bytesOut, rttMs: 7 }),
  });

const never = new AbortController().signal;

test('a new state has an unknown name and no link', () => {
  expect(opened().state.status()).toEqual({
    name: 'a',
    domid: null,
    role: 'client',
    state: 'unknown',
    since: '1970-01-01T00:00:00.000Z',
    path: null,
    trouble: null,
    streams: 0,
    bytesIn: 0,
    bytesOut: 0,
    rttMs: null,
    reconnects: 0,
  });
});

test('the state follows the name, then the link', () => {
  const { at, state } = opened();
  at.ms = 1000;
  state.setDomain('ambiguous');
  const ambiguous = { state: 'ambiguous', domid: null, since: '1970-01-01T00:00:01.000Z' };
  expect(state.status()).toMatchObject(ambiguous);
  at.ms = 2000;
  state.setDomain(domidOf(3));
  const waiting = { state: 'waiting', domid: 3, since: '1970-01-01T00:00:02.000Z' };
  expect(state.status()).toMatchObject(waiting);
  at.ms = 3000;
  const link = linkWith(10, 20);
  state.linkIsUp(link, '/place');
  const up = { state: 'up', path: '/place', streams: 2, bytesIn: 10, bytesOut: 20, rttMs: 7 };
  expect(state.status()).toMatchObject({ ...up, since: '1970-01-01T00:00:03.000Z' });
  expect([state.linkNow(), state.domain()]).toEqual([link, 3]);
});

test('the bytes of all links are added up; the first link is not a reconnect', () => {
  const { state } = opened();
  state.setDomain(domidOf(3));
  const first = linkWith(10, 20);
  state.linkIsUp(first, '/place');
  expect(state.status().reconnects).toBe(0);
  state.linkIsOver(first);
  const between = { state: 'waiting', path: null, streams: 0, rttMs: null, reconnects: 0 };
  expect(state.status()).toMatchObject({ ...between, bytesIn: 10, bytesOut: 20 });
  state.linkIsUp(linkWith(1, 2), '/place');
  expect(state.status()).toMatchObject({ bytesIn: 11, bytesOut: 22, reconnects: 1 });
});

test('the end of a replaced link leaves the current one up', () => {
  const { state } = opened();
  const [first, second] = [linkWith(10, 20), linkWith(1, 2)];
  state.linkIsUp(first, '/place');
  state.linkIsUp(second, '/place');
  state.linkIsOver(first);
  expect(state.linkNow()).toBe(second);
  expect(state.status().bytesIn).toBe(11);
});

test('a trouble is new when its text changes, and stays in the status until it ends', () => {
  const { state } = opened();
  const texts = ['no grants', 'no grants', 'quota', undefined, 'quota'];
  expect(texts.map(state.setTrouble)).toEqual([true, false, true, false, true]);
  expect(state.status().trouble).toBe('quota');
  state.setTrouble(undefined);
  expect(state.status().trouble).toBeNull();
});

test('a wait ends with the link, the signal, or the close', async () => {
  const { state } = opened();
  const abort = new AbortController();
  const aborted = state.link(abort.signal);
  abort.abort(new Error('cancelled'));
  await expect(aborted).rejects.toThrow('cancelled');
  await expect(state.link(abort.signal)).rejects.toThrow('cancelled');
  const waits = state.link(never);
  const link = linkWith(0, 0);
  state.linkIsUp(link, '/place');
  expect(await waits).toBe(link);
  expect(await state.link(never)).toBe(link);
  state.linkIsOver(link);
  const late = state.link(never);
  state.close('the agent stops');
  await expect(late).rejects.toThrow('the agent stops');
  await expect(state.link(never)).rejects.toThrow('the agent stops');
});
