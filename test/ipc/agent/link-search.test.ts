/** A call gets the link with its target: the one that is up, or the first that comes up in time. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openLinkSearch } from '../../../src/ipc/agent/link-search.ts';
import type { Peer } from '../../../src/ipc/agent/peer.ts';
import type { VmName } from '../../../src/ipc/config/vm-name.ts';
import { deferred } from '../../../src/system/deferred.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { fakeDomainMap, fakeLink, fakePeer, untilAborted, vm } from './fake-peers.ts';

const opened = (first: readonly Peer[] = [], hasRoom = true) => {
  let peers = first;
  const added: VmName[] = [];
  const domains = fakeDomainMap();
  domains.set('a', 3);
  const clock = createFakeClock();
  const search = openLinkSearch({
    self: 'self',
    peersOf: () => peers,
    addClient: (name) => {
      added.push(name);
      return hasRoom ? fakePeer(name, { link: async () => fakeLink() }) : undefined;
    },
    domainOf: domains.domainOf,
    clock,
  });
  const replace = (next: readonly Peer[]): void => {
    peers = next;
  };
  return { search, added, domains, clock, replace };
};

const never = new AbortController().signal;

test('the first link that is up is used', async () => {
  const link = fakeLink();
  const peers = [fakePeer('a'), fakePeer('a', { linkNow: () => link })];
  const { search } = opened(peers);
  expect(search.linkNow(vm('a'))).toBe(link);
  expect(await search.reach(vm('a'), never)).toBe(link);
  expect(await search.linkWith(vm('a'), never)).toBe(link);
});

test('the first link that comes up is used, and the other peers are told to stop', async () => {
  const link = fakeLink();
  const up = deferred<typeof link>();
  const signals: AbortSignal[] = [];
  const waits = (signal: AbortSignal) => {
    signals.push(signal);
    return untilAborted(signal);
  };
  const peers = [fakePeer('a', { link: waits }), fakePeer('a', { link: () => up.promise })];
  const reached = opened(peers).search.reach(vm('a'), never);
  up.resolve(link);
  expect(await reached).toBe(link);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test("a link that is late fails with the peer's trouble", async () => {
  const { search, clock } = opened([fakePeer('a'), fakePeer('a', { trouble: 'no grants' })]);
  let isOver = false;
  const reached = search.reach(vm('a'), never).finally(() => {
    isOver = true;
  });
  await setImmediate();
  clock.advance(9_999);
  await setImmediate();
  expect(isOver).toBe(false);
  clock.advance(1);
  await expect(reached).rejects.toThrow('there is no link with a: no grants');
  expect(clock.pending()).toBe(0);
});

test('a late link without a known trouble fails because its agent does not answer', async () => {
  const { search, clock } = opened([fakePeer('a')]);
  const why = 'there is no link with a: its agent does not answer';
  const linked = search.linkWith(vm('a'), never);
  await setImmediate();
  clock.advance(10_000);
  await expect(linked).rejects.toThrow(why);
});

test('only `reach` adds a VM that is not a peer', async () => {
  const { search, added } = opened();
  await expect(search.linkWith(vm('a'), never)).rejects.toThrow('self has no link with a');
  expect(added).toEqual([]);
  await search.reach(vm('a'), never);
  expect(added).toEqual(['a']);
});

test('a VM without a name in the domain map is not added', async () => {
  const { search, added } = opened();
  const reached = search.reach(vm('nobody'), never);
  await expect(reached).rejects.toThrow('VM nobody is not in /ipc/domain-map');
  expect(added).toEqual([]);
});

test('a VM above the watch limit is not reached', async () => {
  const reached = opened([], false).search.reach(vm('a'), never);
  await expect(reached).rejects.toThrow(
    'too many links with VMs that ipc_connect does not list: xenstore watch quota would be exceeded',
  );
});

test('a call whose peers were replaced while it waited waits for the new peers', async () => {
  const closing = deferred<never>();
  const { search, replace } = opened([fakePeer('a', { link: () => closing.promise })]);
  const reached = search.reach(vm('a'), never);
  const link = fakeLink();
  replace([fakePeer('a', { linkNow: () => link })]);
  closing.reject(new Error('closed'));
  expect(await reached).toBe(link);
});

test('a cancelled call does not wait for new peers', async () => {
  const { search, replace } = opened([fakePeer('a')]);
  const cancel = new AbortController();
  const reached = search.reach(vm('a'), cancel.signal);
  replace([fakePeer('a', { linkNow: () => fakeLink() })]);
  cancel.abort();
  await expect(reached).rejects.toThrow('there is no link with a');
});

test('a VM is sought at most once per second', async () => {
  const { search, added, clock } = opened();
  search.seek(vm('a'));
  search.seek(vm('a'));
  await setImmediate();
  expect(added).toEqual(['a']);
  clock.advance(999);
  search.seek(vm('a'));
  await setImmediate();
  expect(added).toEqual(['a']);
  clock.advance(1);
  search.seek(vm('a'));
  await setImmediate();
  expect(added).toEqual(['a', 'a']);
});
