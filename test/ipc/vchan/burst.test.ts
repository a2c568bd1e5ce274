/** A peer that sends single bytes cannot occupy the event loop, and a paused stream leaves its bytes in the ring. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { VchanStream } from '../../../src/ipc/vchan/vchan-stream.ts';
import type { NativeVchan } from '../../../src/xen/native.ts';

const openDripping = () => {
  let reads = 0;
  const dripping: NativeVchan = {
    read: (buffer) => {
      reads += 1;
      buffer[0] = 0;
      return 1;
    },
    write: () => 0,
    isWaiting: () => false,
    port: () => 1,
    close: () => undefined,
  };
  const takeReads = (): number => {
    const taken = reads;
    reads = 0;
    return taken;
  };
  return { stream: new VchanStream(dripping), takeReads };
};

test('a peer that sends one byte at a time gets at most 128 reads per turn of the event loop', async () => {
  const { stream, takeReads } = openDripping();
  stream.on('data', () => undefined);
  const perTurn: number[] = [];
  for (let turn = 0; turn < 100; turn += 1) {
    stream.handleEvent();
    await nextTurn();
    perTurn.push(takeReads());
  }
  stream.destroy();
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(128);
  expect(Math.min(...perTurn)).toBeGreaterThan(0);
});

test('a paused stream reads nothing, and reads on when it is resumed', async () => {
  const { stream, takeReads } = openDripping();
  stream.on('data', () => undefined);
  stream.handleEvent();
  stream.pause();
  await nextTurn();
  takeReads();
  stream.handleEvent();
  await nextTurn();
  expect(takeReads()).toBe(0);
  stream.resume();
  await nextTurn();
  expect(takeReads()).toBeGreaterThan(0);
  stream.destroy();
});

test('a consumer that iterates over the stream gets its data', async () => {
  const { stream } = openDripping();
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    if (bytes > 200) break;
  }
  expect(bytes).toBeGreaterThan(200);
});
