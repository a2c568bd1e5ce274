/** A peer that sends single bytes cannot occupy the event loop. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { VchanStream } from '../../../src/ipc/vchan/vchan-stream.ts';
import type { NativeVchan } from '../../../src/xen/native.ts';

test('a peer that sends one byte at a time gets at most 128 reads per turn of the event loop', async () => {
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
  const stream = new VchanStream(dripping);
  stream.on('data', () => undefined);
  const perTurn: number[] = [];
  for (let turn = 0; turn < 100; turn += 1) {
    stream.handleEvent();
    await nextTurn();
    perTurn.push(reads);
    reads = 0;
  }
  stream.destroy();
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(128);
  expect(Math.min(...perTurn)).toBeGreaterThan(0);
});
