/** Peers that the configuration does not list: a name in the domain map is what keeps them. */
import { setImmediate } from 'node:timers/promises';
import { Subject } from 'rxjs';
import { expect, test } from 'vitest';
import { openPeerTable } from '../../../src/ipc/agent/peer-table.ts';
import { openUnlistedPeers } from '../../../src/ipc/agent/unlisted-peers.ts';
import type { VmName } from '../../../src/ipc/config/vm-name.ts';
import { fakeDomainMap, fakePeer, memoryLog, vm } from './fake-peers.ts';

const opened = () => {
  const domains = fakeDomainMap();
  const requests = new Subject<VmName>();
  const listed = new Set<VmName>();
  const closed: string[] = [];
  const failures: unknown[] = [];
  const { log, lines } = memoryLog();
  const table = openPeerTable((name) =>
    fakePeer(name, { close: async (why) => void closed.push(`${name}: ${why}`) }),
  );
  const unlisted = openUnlistedPeers({
    table,
    domainOf: domains.domainOf,
    isListed: (name) => listed.has(name),
    requests,
    log,
    fail: (error) => failures.push(error),
  });
  return { domains, requests, listed, closed, failures, lines, table, unlisted };
};

test('a peer is added once, and closed when its name leaves the domain map', async () => {
  const { domains, unlisted, table, closed } = opened();
  domains.set('a', 3);
  const peer = unlisted.findOrAdd(vm('a'), 'client');
  expect(unlisted.findOrAdd(vm('a'), 'client')).toBe(peer);
  domains.set('a', 'ambiguous');
  expect(closed).toEqual([]);
  domains.set('a', 'unknown');
  expect(closed).toEqual(["a: the VM's name is no longer in /ipc/domain-map"]);
  expect(table.all()).toEqual([]);
});

test('a peer that is listed meanwhile stays when its name leaves the domain map', () => {
  const { domains, unlisted, listed, closed } = opened();
  domains.set('a', 3);
  unlisted.findOrAdd(vm('a'), 'server');
  listed.add(vm('a'));
  domains.set('a', 'unknown');
  expect(closed).toEqual([]);
});

test('an agent that serves everyone adds each VM that requests a link, until it stops to', () => {
  const { domains, requests, unlisted, table } = opened();
  for (const name of ['a', 'b', 'c']) domains.set(name, 3);
  requests.next(vm('a'));
  unlisted.serveEveryone(true);
  unlisted.serveEveryone(true);
  requests.next(vm('b'));
  requests.next(vm('b'));
  expect([...table.names('server')]).toEqual(['b']);
  unlisted.serveEveryone(false);
  requests.next(vm('c'));
  expect([...table.names('server')]).toEqual(['b']);
  unlisted.serveEveryone(true);
  requests.next(vm('c'));
  expect([...table.names('server')]).toEqual(['b', 'c']);
});

test('a VM above the watch limit is not served, and the log says so once per VM', async () => {
  const { domains, requests, unlisted, table, lines } = opened();
  for (let count = 0; count < 70; count += 1) table.add(vm(`listed${count}`), 'server');
  domains.set('late', 3);
  unlisted.serveEveryone(true);
  requests.next(vm('late'));
  requests.next(vm('late'));
  expect(unlisted.findOrAdd(vm('late'), 'client')).toBeUndefined();
  const msg = 'not serving this VM: xenstore watch quota would be exceeded';
  expect(lines).toEqual([{ level: 40, peer: 'late', msg }]);
  await table.drop(vm('listed0'), 'server', 'any');
  requests.next(vm('late'));
  expect(table.names('server').has(vm('late'))).toBe(true);
});

test('a lost connection to xenstored is reported', async () => {
  const { requests, unlisted, failures } = opened();
  unlisted.serveEveryone(true);
  requests.error('lost');
  await setImmediate();
  expect(failures).toEqual(['lost']);
});
