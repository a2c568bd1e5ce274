/**
 * The memory that a peer can make the mux hold. A file of its own, since leftovers of other tests would
 * count.
 */
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { initialWindow, maxStreams } from '../../../src/ipc/protocol/limits.ts';
import { bytes, frameBytes, muxAndPeer, openPayload } from './raw-peer.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const usedBytes = async (): Promise<number> => {
  for (let round = 0; round < 3; round += 1) {
    collect();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** A whole window of stream 1 in frames of one byte. */
const dribble = Buffer.concat(
  Array.from({ length: initialWindow }, () => frameBytes('stdin', 1, bytes(7))),
);

const dribbleOn = (stream: number): Buffer => {
  const frames = Buffer.from(dribble);
  for (let at = 4; at < frames.length; at += 9) frames.writeUInt32LE(stream, at);
  return frames;
};

test('a peer that fills all windows costs only the documented memory', async () => {
  const { peer, calls } = await muxAndPeer('server');
  const before = await usedBytes();
  for (let index = 0; index < maxStreams; index += 1) {
    const stream = 2 * index + 1;
    peer.send('open', stream, openPayload);
    if (index % 32 > 0) peer.send('stdin', stream, Buffer.alloc(initialWindow));
    else if (!peer.transport.write(dribbleOn(stream))) await once(peer.transport, 'drain');
  }
  await expect.poll(() => calls.length).toBe(maxStreams);
  expect(await peer.verdict()).toBe('legal');
  const cost = (await usedBytes()) - before;
  const windows = maxStreams * initialWindow;
  const bookkeeping = maxStreams * 8 * 1024;
  expect(cost).toBeGreaterThan(windows);
  expect(cost).toBeLessThan(windows + bookkeeping);
  expect(calls.every(({ cancelled }) => !cancelled.aborted)).toBe(true);
});
