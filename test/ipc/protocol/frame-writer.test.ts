import { Writable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { createFrameWriter } from '../../../src/ipc/protocol/outbox.ts';
import { frameBytes } from './raw-peer.ts';

/** A writer, and the pieces of each write that reaches the transport. */
const writing = () => {
  const writes: Buffer[][] = [];
  const transport = new Writable({
    write: (chunk, _encoding, callback) => {
      writes.push([chunk]);
      callback();
    },
    writev: (chunks, callback) => {
      writes.push(chunks.map(({ chunk }) => chunk));
      callback();
    },
  });
  return { writes, writer: createFrameWriter(transport) };
};

test('small frames go out as one piece, and nothing goes out before the flush', async () => {
  const { writes, writer } = writing();
  const done = vi.fn();
  writer.header('stdin', 1, 3);
  writer.put(Buffer.from('abc'));
  writer.header('cancel', 3, 0);
  expect(writes).toEqual([]);
  writer.flush(done);
  const frames = [frameBytes('stdin', 1, Buffer.from('abc')), frameBytes('cancel', 3)];
  expect(writes).toEqual([[Buffer.concat(frames)]]);
  await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
});

test('a large payload is passed on without a copy, in the same write as its header', () => {
  const { writes, writer } = writing();
  const payload = Buffer.alloc(1025, 7);
  writer.header('stdin', 1, payload.length);
  writer.put(payload);
  writer.header('cancel', 1, 0);
  writer.flush(() => {});
  expect(writes).toHaveLength(1);
  const [first, second, third] = writes[0] ?? [];
  expect(Buffer.concat([first, second] as Buffer[])).toEqual(frameBytes('stdin', 1, payload));
  expect(second).toBe(payload);
  expect(third).toEqual(frameBytes('cancel', 1));
});

test('more small frames than a slab holds keep their bytes and their order', () => {
  const { writes, writer } = writing();
  const frames = Array.from({ length: 100 }, (_, index) =>
    frameBytes('stdin', index + 1, Buffer.alloc(1000, index)),
  );
  for (const [index, frame] of frames.entries()) {
    writer.header('stdin', index + 1, 1000);
    writer.put(frame.subarray(8));
  }
  writer.flush(() => {});
  expect(writes).toHaveLength(1);
  expect(Buffer.concat(writes.flat()).equals(Buffer.concat(frames))).toBe(true);
});

test('bytes that were written are not changed by later frames', () => {
  const { writes, writer } = writing();
  writer.header('cancel', 1, 0);
  writer.flush(() => {});
  const first = writes[0]?.[0];
  writer.header('cancel', 3, 0);
  writer.flush(() => {});
  expect(first).toEqual(frameBytes('cancel', 1));
  expect(writes[1]).toEqual([frameBytes('cancel', 3)]);
});
