/** The agent follows its configuration: it adds and closes links, and the previous relay's link last. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openConfiguredPeers } from '../../../src/ipc/agent/configured-peers.ts';
import { openPeerTable } from '../../../src/ipc/agent/peer-table.ts';
import { parseLinkParameters } from '../../../src/ipc/config/kernel-command-line.ts';
import { deferred } from '../../../src/system/deferred.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { fakeLink, fakePeer, memoryLog, vm } from './fake-peers.ts';

const opened = () => {
  const closed: string[] = [];
  const asked: unknown[] = [];
  const closing = new Map<string, Promise<void>>();
  /** The open calls of the peers' links, by name. */
  const streams = new Map<string, number>();
  const clock = createFakeClock();
  const { log, lines } = memoryLog();
  const table = openPeerTable((name, role) =>
    fakePeer(name, {
      linkNow: () => fakeLink(streams.get(name)),
      close: async (why) => {
        closed.push(`${role} ${name}: ${why}`);
        await closing.get(name);
      },
    }),
  );
  const { configure, isListed } = openConfiguredPeers({
    self: 'self',
    table,
    unlisted: {
      keepWhileNamed: (name, role) => asked.push(`${role} ${name}`),
      serveEveryone: (serves) => asked.push(serves),
    },
    clock,
    log,
  });
  return {
    configure: (parameters: string) => configure(parseLinkParameters(parameters)),
    isListed,
    table,
    closed,
    asked,
    closing,
    streams,
    clock,
    lines,
  };
};

test('lists the links of the current configuration', async () => {
  const { configure, isListed, table } = opened();
  await configure('ipc_serve=a ipc_connect=b ipc_relay=c');
  expect(isListed(vm('a'), 'server')).toBe(true);
  expect(isListed(vm('a'), 'client')).toBe(false);
  expect([...table.names('client')]).toEqual(['b', 'c']);
  await configure('ipc_connect=b');
  expect(isListed(vm('a'), 'server')).toBe(false);
  expect([...table.names('client')]).toContain('b');
});

test('configure resolves when the unlisted links are closed', async () => {
  const { configure, closing, closed } = opened();
  const end = deferred<void>();
  closing.set('a', end.promise);
  await configure('ipc_serve=a');
  let isDone = false;
  const configuring = configure('').then(() => {
    isDone = true;
  });
  await setImmediate();
  expect([closed, isDone]).toEqual([
    ['server a: the configuration no longer lists the link'],
    false,
  ]);
  end.resolve();
  await configuring;
});

test("the previous relay's link is closed once it has no calls", async () => {
  const { configure, streams, clock, closed } = opened();
  streams.set('r', 1);
  await configure('ipc_relay=r');
  await configure('ipc_relay=s');
  clock.advance(200);
  expect(closed).toEqual([]);
  streams.set('r', 0);
  clock.advance(200);
  clock.advance(200);
  expect(closed).toEqual(['client r: this VM is no longer the relay']);
  expect(clock.pending()).toBe(0);
});

test('a relay that is listed again before it is idle stays', async () => {
  const { configure, clock, closed, table } = opened();
  await configure('ipc_relay=r');
  await configure('');
  await configure('ipc_connect=r');
  clock.advance(200);
  expect(closed).toEqual([]);
  expect(table.names('client').has(vm('r'))).toBe(true);
});

test("a new peer with the previous relay's name stays", async () => {
  const { configure, clock, table } = opened();
  await configure('ipc_relay=r');
  await configure('');
  await table.drop(vm('r'), 'client', 'any');
  const next = table.add(vm('r'), 'client');
  clock.advance(200);
  expect(table.get(vm('r'), 'client')).toBe(next);
});

test('serves everyone after the listed links are in place', async () => {
  const { configure, asked } = opened();
  await configure('ipc_serve=a');
  await configure('ipc_serve=*');
  await configure('ipc_serve=b');
  expect(asked).toEqual([false, 'server a', true, false]);
});

test('warns when the listed links need more watches than the limit', async () => {
  const { configure, lines } = opened();
  const names = Array.from({ length: 36 }, (_, index) => `vm${index}`);
  await configure(`ipc_connect=${names.slice(1).join(',')}`);
  expect(lines).toEqual([]);
  await configure(`ipc_connect=${names.join(',')}`);
  expect(lines).toEqual([
    { level: 40, msg: expect.stringMatching(/^the links need 72 xenstore watches; /) },
  ]);
});
