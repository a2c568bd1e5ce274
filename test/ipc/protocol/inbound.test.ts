import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { createInbound } from '../../../src/ipc/protocol/inbound.ts';
import { initialWindow } from '../../../src/ipc/protocol/limits.ts';
import { fullBudget } from '../../../src/ipc/protocol/window.ts';

const opened = () => {
  const onControl = vi.fn();
  return { onControl, inbound: createInbound(fullBudget(), 'stdout', onControl) };
};

test('the data and the end reach the consumer, whether it reads early or late', async () => {
  const { inbound } = opened();
  inbound.receive(Buffer.from('early '));
  const whole = buffer(inbound.readable);
  await setImmediate();
  inbound.receive(Buffer.from('late'));
  inbound.receive(Buffer.alloc(0));
  expect(`${await whole}`).toBe('early late');
  expect(inbound.hasEnded()).toBe(true);
});

test('bytes that nobody reads earn no credit', async () => {
  const { inbound, onControl } = opened();
  for (let count = 0; count < 4; count += 1) inbound.receive(Buffer.alloc(initialWindow / 4));
  await setImmediate();
  expect([onControl.mock.calls.length, inbound.takeGrant()]).toEqual([0, 0]);
  inbound.readable.resume();
  await setImmediate();
  expect(onControl).toHaveBeenCalledOnce();
  // The sender used up its credit, so the window doubles.
  expect(inbound.takeGrant()).toBe(2 * initialWindow);
});

test('a small part of a large chunk is copied', async () => {
  const { inbound } = opened();
  const parts: Buffer[] = [];
  inbound.readable.on('data', (part: Buffer) => parts.push(part));
  await setImmediate();
  const chunk = Buffer.alloc(16_384, 1);
  inbound.receive(chunk.subarray(0, 10));
  expect(parts).toEqual([chunk.subarray(0, 10)]);
  expect(parts[0]?.buffer).not.toBe(chunk.buffer);
});

test('a consumer that stops causes a STOP, and later data is dropped', () => {
  const { inbound, onControl } = opened();
  inbound.receive(Buffer.from('waits'));
  inbound.readable.destroy();
  expect([onControl.mock.calls.length, inbound.takeStop()]).toEqual([1, true]);
  inbound.receive(Buffer.from('dropped'));
  expect(inbound.readable.readableLength).toBe(0);
});

test('an implied end delivers the data that waits', async () => {
  const { inbound } = opened();
  inbound.receive(Buffer.from('whole'));
  inbound.end();
  inbound.fail(new Error('too late'));
  expect(`${await buffer(inbound.readable)}`).toBe('whole');
});

test('a failure before the end destroys the readable', async () => {
  const { inbound } = opened();
  inbound.receive(Buffer.from('part'));
  const error = new Error('lost');
  inbound.fail(error);
  await expect(buffer(inbound.readable)).rejects.toBe(error);
});
