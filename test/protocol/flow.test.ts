/** Credit, turns and limits: what one stream or peer can do to the others. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { IncomingCall } from '../../src/protocol/call.ts';
import {
  growthBudget,
  initialWindow,
  maxPayload,
  maxStreams,
  maxWindow,
} from '../../src/protocol/limits.ts';
import { linked, request } from './linked.ts';
import { bytes, creditOf, echoRequest, muxAndPeer, openPayload, type RawPeer } from './raw-peer.ts';

/** Writes without end, as far as it is let. */
const flood = (call: IncomingCall): void => {
  const chunk = Buffer.alloc(16_384);
  const write = (): void => {
    while (!call.stdout.destroyed && call.stdout.write(chunk));
  };
  call.stdout.on('drain', write);
  write();
};

/** Bytes that each of so many readers gets in the time that all together get `total`. */
const shares = async (readers: number, stalled: number, total: number): Promise<number[]> => {
  const { client } = await linked(flood);
  const got = new Array<number>(readers).fill(0);
  // Calls whose output nobody ever reads.
  for (let index = 0; index < stalled; index += 1) client.open(request('flood'));
  await new Promise<void>((resolve) => {
    let sum = 0;
    for (let index = 0; index < readers; index += 1) {
      client.open(request('flood')).stdout.on('data', ({ length }: Buffer) => {
        got[index] = (got[index] ?? 0) + length;
        sum += length;
        if (sum >= total) resolve();
      });
    }
  });
  return got;
};

test('16 streams get within 10 % of a fair share', async () => {
  const got = await shares(16, 0, 64_000_000);
  const fair = got.reduce((sum, share) => sum + share) / 16;
  for (const share of got) expect(Math.abs(share - fair) / fair).toBeLessThan(0.1);
});

test('900 stalled readers take nothing from 4 others but their first window', async () => {
  const { client } = await linked(flood);
  const stalled = Array.from({ length: 900 }, () => client.open(request('flood')));
  const got = await shares(4, 0, 1);
  expect(got).toHaveLength(4);
  const read = (bytesWanted: number): Promise<void> =>
    new Promise((resolve) => {
      let sum = 0;
      const call = client.open(request('flood'));
      call.stdout.on('data', ({ length }: Buffer) => {
        sum += length;
        if (sum < bytesWanted) return;
        call.cancel();
        resolve();
      });
    });
  const before = client.statistics().bytesIn;
  const wanted = 20_000_000;
  await read(wanted);
  const spent = client.statistics().bytesIn - before;
  expect(wanted / (spent - 900 * initialWindow)).toBeGreaterThan(0.9);
  expect(stalled.every(({ stdout }) => stdout.readableLength === 0)).toBe(true);
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
    await expect
      .poll(() => peer.seen.length - before, { interval: 1 })
      .toBeGreaterThanOrEqual(count);
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

test('a peer that fills all windows with tiny frames, each in a chunk of its own, costs no more than documented', async () => {
  const gc = globalThis.gc;
  const { peer, calls } = await muxAndPeer('server');
  const held = () => {
    gc?.();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  for (let index = 0; index < maxStreams; index += 1) peer.send('open', 2 * index + 1, openPayload);
  await expect.poll(() => calls.length).toBe(maxStreams);
  for (let round = 0; round < 16; round += 1) {
    for (let index = 0; index < maxStreams; index += 1) {
      peer.send('stdin', 2 * index + 1, Buffer.alloc(initialWindow / 16));
    }
    await delay(1);
  }
  expect(await peer.verdict()).toBe('legal');
  expect(held() - before).toBeLessThan(32 * 1024 * 1024);
  expect(await peer.verdict()).toBe('legal');
  expect(echoRequest.service).toBe('echo');
}, 20_000);
