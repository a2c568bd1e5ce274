import { expect, test } from 'vitest';
import { type PackedBytes, pack, unpack } from '../../../src/ipc/protocol/inbound.ts';
import { initialWindow } from '../../../src/ipc/protocol/limits.ts';

test('the bytes come out in their order', () => {
  const blocks: PackedBytes = [];
  const whole = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 251));
  for (let at = 0; at < whole.length; at += 7) pack(blocks, whole.subarray(at, at + 7));
  const parts: Buffer[] = [];
  for (let part = unpack(blocks); part !== undefined; part = unpack(blocks)) parts.push(part);
  expect(Buffer.concat(parts)).toEqual(whole);
  expect(blocks).toEqual([]);
});

test('a window of single bytes takes few blocks, each at most twice the last', () => {
  const blocks: PackedBytes = [];
  for (let count = 0; count < initialWindow; count += 1) pack(blocks, Buffer.from([1]));
  expect(blocks.map(({ bytes }) => bytes.length)).toEqual([256, 512, 1024, 2048, 4096]);
});

test('a large payload has a block of its size', () => {
  const blocks: PackedBytes = [];
  pack(blocks, Buffer.alloc(10_000));
  expect(blocks.map(({ bytes }) => bytes.length)).toEqual([10_000]);
});

test('the payload is copied', () => {
  const blocks: PackedBytes = [];
  const payload = Buffer.from('before');
  pack(blocks, payload);
  payload.write('after!');
  expect(`${unpack(blocks)}`).toBe('before');
});
