import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { maxPayload, transportBacklog } from '../../../src/ipc/protocol/limits.ts';
import { createOutbox } from '../../../src/ipc/protocol/outbox.ts';

/** An outbox over a transport whose writes end when the test says so. */
const opened = () => {
  const ends: (() => void)[] = [];
  const transport = new Writable({
    write: (_chunk, _encoding, callback) => ends.push(callback),
    writev: (_chunks, callback) => ends.push(callback),
  });
  const onRoom = vi.fn();
  const endWrite = async () => {
    ends.shift()?.();
    await setImmediate();
  };
  return { ends, onRoom, outbox: createOutbox(transport, onRoom), endWrite };
};

test('there is room until the batch and the bytes under way fill the backlog', async () => {
  const { onRoom, outbox, endWrite } = opened();
  const payload = Buffer.alloc(maxPayload);
  for (let bytes = 0; bytes < transportBacklog; bytes += 8 + maxPayload) {
    expect(outbox.hasRoom()).toBe(true);
    outbox.frame('stdin', 1, payload);
  }
  expect(outbox.hasRoom()).toBe(false);
  outbox.flush();
  expect(outbox.hasRoom()).toBe(false);
  expect(onRoom).not.toHaveBeenCalled();
  await endWrite();
  expect(onRoom).toHaveBeenCalledOnce();
  expect(outbox.hasRoom()).toBe(true);
});

test('the bytes count as sent when they are handed to the transport', () => {
  const { outbox } = opened();
  outbox.frame('stdin', 1, Buffer.from('abc'));
  expect(outbox.sent()).toBe(0);
  outbox.flush();
  expect(outbox.sent()).toBe(8 + 3);
});

test('callbacks follow the next flush, once, even without new bytes', () => {
  const { ends, outbox } = opened();
  const callback = vi.fn();
  outbox.whenFlushed(callback);
  expect(callback).not.toHaveBeenCalled();
  outbox.flush();
  outbox.flush();
  expect(callback).toHaveBeenCalledOnce();
  expect(ends).toEqual([]);
});

test('a callback that a callback adds waits for the next flush', () => {
  const { outbox } = opened();
  const second = vi.fn();
  outbox.whenFlushed(() => outbox.whenFlushed(second));
  outbox.flush();
  expect(second).not.toHaveBeenCalled();
  outbox.flush();
  expect(second).toHaveBeenCalledOnce();
});
