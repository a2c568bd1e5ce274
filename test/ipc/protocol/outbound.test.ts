import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { initialWindow, maxPayload } from '../../../src/ipc/protocol/limits.ts';
import { createOutbound } from '../../../src/ipc/protocol/outbound.ts';
import { recordFrames } from './recorded-frames.ts';

const opened = () => {
  const onWork = vi.fn();
  const outbox = recordFrames();
  const outbound = createOutbound('stdin', 3, onWork);
  /** Sends all that the credit allows; gives the length of each frame's payload. */
  const sentLengths = () => {
    while (outbound.hasWork()) outbound.send(outbox);
    outbox.flush();
    return outbox.take().map((frame) => (frame.split(' ')[2] ?? '').length / 2);
  };
  return { outbound, onWork, outbox, sentLengths };
};

test('a write goes out in frames, within the credit', () => {
  const { outbound, onWork, sentLengths } = opened();
  const written = vi.fn();
  outbound.writable.write(Buffer.alloc(3 * maxPayload), written);
  expect(onWork).toHaveBeenCalledOnce();
  expect(sentLengths()).toEqual([initialWindow]);
  outbound.grant(2 * maxPayload);
  expect(onWork).toHaveBeenCalledTimes(2);
  expect(sentLengths()).toEqual([maxPayload, maxPayload]);
  expect(outbound.hasWork()).toBe(false);
  expect(written).not.toHaveBeenCalled();
});

test('a write is done once its last frame is flushed', async () => {
  const { outbound, outbox } = opened();
  const written = vi.fn();
  outbound.writable.write('abc', written);
  outbound.send(outbox);
  await setImmediate();
  expect(written).not.toHaveBeenCalled();
  outbox.flush();
  await setImmediate();
  expect(written).toHaveBeenCalledOnce();
});

test('writes that wait go out together', async () => {
  const { outbound, sentLengths } = opened();
  for (const text of ['a', 'bc', 'def']) outbound.writable.write(text);
  expect(sentLengths()).toEqual([1]);
  await setImmediate();
  expect(sentLengths()).toEqual([5]);
});

test('an empty write needs no credit and sends no frame', async () => {
  const { outbound, sentLengths } = opened();
  outbound.writable.write(Buffer.alloc(initialWindow));
  sentLengths();
  const written = vi.fn();
  await setImmediate();
  outbound.writable.write('', written);
  expect(sentLengths()).toEqual([]);
  await setImmediate();
  expect(written).toHaveBeenCalledOnce();
});

test('the end is an empty frame, which is sent once', async () => {
  const { outbound, sentLengths } = opened();
  const finished = vi.fn();
  outbound.writable.end(finished);
  await setImmediate();
  expect([outbound.hasEnded(), sentLengths(), outbound.hasEnded()]).toEqual([false, [0], true]);
  await setImmediate();
  expect(finished).toHaveBeenCalledOnce();
  expect(outbound.hasWork()).toBe(false);
});

test('STOP fails the pending write with EPIPE and drops its data; the end still goes out', async () => {
  const { outbound, sentLengths } = opened();
  const written = vi.fn();
  outbound.writable.write('abc', written);
  outbound.stop();
  await setImmediate();
  expect(written).toHaveBeenCalledWith(expect.objectContaining({ code: 'EPIPE' }));
  expect(sentLengths()).toEqual([0]);
  expect(() => outbound.grant(1)).toThrow('credit for stdin after its stop');
  expect(() => outbound.stop()).toThrow('a second stop of stdin');
});

test('a failure destroys the writable, unless it has finished', async () => {
  const [broken, finished] = [opened(), opened()];
  finished.outbound.writable.end();
  await setImmediate();
  finished.sentLengths();
  await setImmediate();
  const error = new Error('lost');
  for (const { outbound } of [broken, finished]) outbound.fail(error);
  expect(broken.outbound.writable.errored).toBe(error);
  expect(finished.outbound.writable.errored).toBeNull();
});
