/** Credit, turns and limits: what one stream or peer can do to the others. */
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

/** Writes without end, as far as it is let. */
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
  // What the others have when the first has its share.
  await Promise.race(
    got.map((_, index) =>
      readFlood(client, fair, (length) => {
        got[index] = (got[index] ?? 0) + length;
      }),
    ),
  );
  expect(Math.min(...got) / Math.max(...got)).toBeGreaterThan(0.9);
});

test('900 stalled readers cost the link their first window and nothing more', async () => {
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

/** All that the target has sent on its outputs so far. */
const outputBytes = (peer: RawPeer): number =>
  peer.seen
    .filter(({ name }) => name === 'stdout')
    .reduce((sum, { payload }) => sum + payload.length, 0);

test('nothing is sent beyond the credit, and writes are called back as it comes', async () => {
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
  ['no credit at all', 'credit', creditOf(1, 0)],
  ['more credit than a window holds', 'credit', creditOf(1, maxWindow)],
  ['as much credit as there are numbers', 'credit', creditOf(2, 0xffff_ffff)],
] as const)('%s closes the link', async (_what, name, payload) => {
  const { peer } = await muxAndPeer('server');
  peer.send('open', 1, openPayload);
  peer.send(name, 1, payload);
  expect(await peer.verdict()).toBe('credit');
});

test('credit is spent in a stream that nobody reads any more, too', async () => {
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

test('windows grow for those who read, within the budget of the link', async () => {
  const { peer, calls } = await muxAndPeer('server');
  const granted = new Map<number, number>();
  const count = 64;
  const ids = Array.from({ length: count }, (_, index) => 2 * index + 1);
  for (const id of ids) peer.send('open', id, openPayload);
  await expect.poll(() => calls.length).toBe(count);
  for (const call of calls) call.stdin.resume();
  let at = 0;
  // Each spends all that it is given: the greediest peer that is legal.
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
