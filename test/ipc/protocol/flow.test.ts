/** Credit, turns and limits bound the effect of one stream or peer on the others. */
import { expect, test } from 'vitest';
import type { IncomingCall } from '../../../src/ipc/protocol/call.ts';
import {
  growthBudget,
  initialWindow,
  maxPayload,
  maxStreams,
  maxWindow,
} from '../../../src/ipc/protocol/limits.ts';
import type { Mux } from '../../../src/ipc/protocol/mux.ts';
import { linked, request } from './linked.ts';
import { bytes, creditOf, muxAndPeer, openPayload, type RawPeer } from './raw-peer.ts';

/** Writes without end, as fast as the credit allows. */
const flood = (call: IncomingCall): void => {
  const chunk = Buffer.alloc(16_384);
  const write = (): void => {
    while (!call.stdout.destroyed && call.stdout.write(chunk));
  };
  call.stdout.on('drain', write);
  write();
};

/** Reads `bytesWanted` of a flood, then cancels it. */
const readFlood = (client: Mux, bytesWanted: number, onData: (length: number) => void = () => {}) =>
  new Promise<void>((resolve) => {
    const call = client.open(request('flood'));
    let left = bytesWanted;
    call.stdout.on('data', ({ length }: Buffer) => {
      onData(length);
      left -= length;
      if (left > 0) return;
      call.cancel();
      resolve();
    });
  });

test('16 streams get within 10 % of a fair share', async () => {
  const { client } = await linked(flood);
  const got = new Array<number>(16).fill(0);
  const fair = 4_000_000;
  // The others are measured at the moment when the first stream has its share.
  await Promise.race(
    got.map((_, index) =>
      readFlood(client, fair, (length) => {
        got[index] = (got[index] ?? 0) + length;
      }),
    ),
  );
  expect(Math.min(...got) / Math.max(...got)).toBeGreaterThan(0.9);
});

test('900 stalled readers cost the link only their first window', async () => {
  const { client } = await linked(flood);
  const stalled = Array.from({ length: 900 }, () => client.open(request('flood')));
  await expect
    .poll(() => client.statistics().bytesIn)
    .toBeGreaterThanOrEqual(stalled.length * initialWindow);
  const before = client.statistics().bytesIn;
  const wanted = 10_000_000;
  await readFlood(client, wanted);
  expect(wanted / (client.statistics().bytesIn - before)).toBeGreaterThan(0.9);
});

/** The bytes that the target has sent on stdout so far. */
const outputBytes = (peer: RawPeer): number =>
  peer.seen
    .filter(({ name }) => name === 'stdout')
    .reduce((sum, { payload }) => sum + payload.length, 0);

test('a sender stops at the end of its credit, and a write completes when more credit comes', async () => {
  const { peer, call } = await muxAndPeer('server');
  peer.send('open', 1, openPayload);
  const incoming = await call();
  let written = false;
  incoming.stdout.write(Buffer.alloc(10_000), () => {
    written = true;
  });
  await expect.poll(() => outputBytes(peer)).toBe(initialWindow);
  expect(await peer.verdict()).toBe('legal');
  expect([outputBytes(peer), written]).toEqual([initialWindow, false]);
  peer.send('credit', 1, creditOf(1, 10_000 - initialWindow));
  await expect.poll(() => written).toBe(true);
  expect(outputBytes(peer)).toBe(10_000);
});

test.each([
  ['stdin beyond the window', 'stdin', Buffer.alloc(initialWindow + 1)],
  ['a credit of 0', 'credit', creditOf(1, 0)],
  ['more credit than a window holds', 'credit', creditOf(1, maxWindow)],
  ['a credit of 2^32 - 1', 'credit', creditOf(2, 0xffff_ffff)],
] as const)('%s closes the link', async (_what, name, payload) => {
  const { peer } = await muxAndPeer('server');
  peer.send('open', 1, openPayload);
  peer.send(name, 1, payload);
  expect(await peer.verdict()).toBe('credit');
});

test('input to an ended call still spends credit', async () => {
  const { peer, call } = await muxAndPeer('server');
  peer.send('open', 1, openPayload);
  (await call()).exit(0);
  await peer.frame('exit');
  peer.send('stdin', 1, Buffer.alloc(initialWindow));
  peer.send('stdin', 1, bytes(1));
  expect(await peer.verdict()).toBe('credit');
});

test('more streams than the limit close the link', async () => {
  const { peer, calls } = await muxAndPeer('server');
  for (let index = 0; index <= maxStreams; index += 1)
    peer.send('open', 2 * index + 1, openPayload);
  expect(await peer.verdict()).toBe('streams');
  expect(calls).toHaveLength(maxStreams);
  expect(calls.every(({ cancelled }) => cancelled.aborted)).toBe(true);
});

test('pings are answered one at a time', async () => {
  const { peer } = await muxAndPeer('server');
  peer.transport.cork();
  peer.send('ping', 0, Buffer.alloc(8, 1));
  peer.send('ping', 0, Buffer.alloc(8, 2));
  peer.transport.uncork();
  expect((await peer.frame('goodbye')).payload[0]).toBe(11);
});

test("windows of streams that are read grow, within the link's budget", async () => {
  const { peer, calls } = await muxAndPeer('server');
  const granted = new Map<number, number>();
  const count = 64;
  const ids = Array.from({ length: count }, (_, index) => 2 * index + 1);
  for (const id of ids) peer.send('open', id, openPayload);
  await expect.poll(() => calls.length).toBe(count);
  for (const call of calls) call.stdin.resume();
  let at = 0;
  // Each stream spends all its credit, as the greediest legal peer does.
  const spend = (): void => {
    for (const { name, stream, payload } of peer.seen.slice(at)) {
      if (name !== 'credit') continue;
      granted.set(stream, (granted.get(stream) ?? initialWindow) + payload.readUInt32LE(1));
    }
    at = peer.seen.length;
    for (const id of ids) {
      for (let left = granted.get(id) ?? initialWindow; left > 0; left -= maxPayload) {
        peer.send('stdin', id, Buffer.alloc(Math.min(left, maxPayload)));
      }
      granted.set(id, 0);
    }
  };
  for (let round = 0; round < 12; round += 1) {
    spend();
    const before = peer.seen.length;
    await expect.poll(() => peer.seen.length - before).toBeGreaterThanOrEqual(count);
  }
  const windows = new Map<number, number>();
  for (const { name, stream, payload } of peer.seen.slice(at)) {
    if (name === 'credit') windows.set(stream, payload.readUInt32LE(1));
  }
  const grown = [...windows.values()].reduce((sum, window) => sum + window - initialWindow, 0);
  expect(grown).toBeGreaterThan(growthBudget / 2);
  expect(grown).toBeLessThanOrEqual(growthBudget);
  expect(Math.max(...windows.values())).toBeLessThanOrEqual(maxWindow);
});
