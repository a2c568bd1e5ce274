/** The table counts the watches of its peers, and finds peers by name and role. */
import { expect, test } from 'vitest';
import { openPeerTable } from '../../../src/ipc/agent/peer-table.ts';
import { deferred } from '../../../src/system/deferred.ts';
import { fakePeer, vm } from './fake-peers.ts';

test('a VM may be a peer in both roles; the client comes first', () => {
  const table = openPeerTable((name) => fakePeer(name));
  const server = table.add(vm('a'), 'server');
  const client = table.add(vm('a'), 'client');
  expect(table.named(vm('a'))).toEqual([client, server]);
  expect(table.get(vm('a'), 'server')).toBe(server);
  expect(table.all()).toEqual([server, client]);
  expect(table.named(vm('b'))).toEqual([]);
});

test('a served peer uses one watch, a client peer uses two, and 70 are the limit', () => {
  const table = openPeerTable((name) => fakePeer(name));
  for (let count = 0; count < 34; count += 1) table.add(vm(`client${count}`), 'client');
  table.add(vm('served'), 'server');
  expect(table.watches()).toBe(69);
  expect([table.hasRoom('server'), table.hasRoom('client')]).toEqual([true, false]);
  table.add(vm('last'), 'server');
  expect(table.hasRoom('server')).toBe(false);
});

test('a dropped peer leaves the table at once, and `dropped` emits when it is closed', async () => {
  const closing = deferred<void>();
  const reasons: string[] = [];
  const close = (why: string) => {
    reasons.push(why);
    return closing.promise;
  };
  const table = openPeerTable((name) => fakePeer(name, { close }));
  let drops = 0;
  table.dropped.subscribe(() => {
    drops += 1;
  });
  table.add(vm('a'), 'server');
  const dropped = table.drop(vm('a'), 'server', 'no longer wanted');
  expect(table.get(vm('a'), 'server')).toBeUndefined();
  expect([reasons, drops]).toEqual([['no longer wanted'], 0]);
  closing.resolve();
  await dropped;
  expect(drops).toBe(1);
});
