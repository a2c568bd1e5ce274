import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDecoder, type FrameName, frames } from '../../../src/ipc/protocol/frame.ts';
import { maxPayload } from '../../../src/ipc/protocol/limits.ts';
import { frameBytes } from './raw-peer.ts';

const legalFrame = fc.constantFrom(...(Object.keys(frames) as FrameName[])).chain((name) =>
  fc.record({
    name: fc.constant(name),
    stream: frames[name].link ? fc.constant(0) : fc.integer({ min: 1, max: 0xffff_ffff }),
    payload: fc
      .oneof(
        fc.integer({ min: frames[name].min, max: Math.min(frames[name].max, 400) }),
        fc.constant(frames[name].max),
      )
      .chain((length) => fc.integer().map((seed) => Buffer.alloc(length, `${seed}`))),
  }),
);

/** Cuts `whole` into chunks of the given sizes, in order and repeatedly. */
const cut = (whole: Buffer, sizes: readonly number[]): Buffer[] => {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < whole.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(whole.subarray(at, at + size));
    at += size;
  }
  return chunks;
};

test('encoded frames are decoded from chunks of any size', () => {
  const sizes = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 40_000 })),
    {
      minLength: 1,
      maxLength: 8,
    },
  );
  fc.assert(
    fc.property(fc.array(legalFrame, { maxLength: 12 }), sizes, (sent, cuts) => {
      const seen: { name: FrameName; stream: number; payload: Buffer }[] = [];
      const decode = createDecoder((name, stream, payload) => seen.push({ name, stream, payload }));
      const whole = Buffer.concat(
        sent.map(({ name, stream, payload }) => frameBytes(name, stream, payload)),
      );
      const counted = cut(whole, cuts).reduce((sum, chunk) => sum + decode(chunk), 0);
      expect(counted).toBe(sent.length);
      expect(seen.map(({ name, stream }) => ({ name, stream }))).toEqual(
        sent.map(({ name, stream }) => ({ name, stream })),
      );
      expect(
        seen.every(({ payload }, index) => payload.equals(sent[index]?.payload ?? Buffer.alloc(0))),
      ).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('a payload that arrives in one chunk is not copied', () => {
  const chunk = frameBytes('stdin', 1, Buffer.alloc(maxPayload));
  const decode = createDecoder((_name, _stream, payload) => {
    expect(payload.buffer).toBe(chunk.buffer);
  });
  expect(decode(chunk)).toBe(1);
});
