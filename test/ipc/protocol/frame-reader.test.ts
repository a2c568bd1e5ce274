import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { Violation } from '../../../src/ipc/protocol/close-reason.ts';
import { startFrameReader } from '../../../src/ipc/protocol/frame-reader.ts';
import { frameBurst, framesPerSecond } from '../../../src/ipc/protocol/limits.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { frameBytes } from './raw-peer.ts';

const ping = frameBytes('ping', 0, Buffer.alloc(8));

/** A reader whose chunks a test emits itself, and the order of what it calls. */
const reading = (onFrame: (stop: () => void) => boolean = () => true) => {
  const clock = createFakeClock();
  const transport = new Readable({ read: () => {} });
  const events: string[] = [];
  const reader = startFrameReader(transport, clock, {
    onData: () => events.push('data'),
    onFrame: (frame, stream) => {
      events.push(`${frame} ${stream}`);
      return onFrame(() => reader.stop());
    },
    onViolation: ({ code, text }) => events.push(`${code}: ${text}`),
  });
  const emit = (chunk: Buffer): void => {
    transport.emit('data', chunk);
  };
  return { clock, transport, events, reader, emit };
};

test('each chunk counts as data before its frames, whole or not', () => {
  const { events, reader, emit } = reading();
  emit(ping.subarray(0, 5));
  emit(Buffer.concat([ping.subarray(5), frameBytes('cancel', 3)]));
  expect(events).toEqual(['data', 'data', 'ping 0', 'cancel 3']);
  expect(reader.bytes()).toBe(ping.length + 8);
});

test('the frames of one chunk that follow the stop are dropped, and so are later chunks', () => {
  const { events, reader, emit } = reading((stop) => {
    stop();
    return true;
  });
  emit(Buffer.concat([ping, ping]));
  emit(ping);
  expect(events).toEqual(['data', 'ping 0']);
  expect(reader.bytes()).toBe(2 * ping.length);
});

test('violations of the decoder and of the handler are reported', () => {
  const malformed = reading();
  malformed.emit(Buffer.alloc(8, 0xff));
  expect(malformed.events).toEqual(['data', 'type: no frame has type 255']);
  const illegal = reading(() => {
    throw new Violation('state', 'not now');
  });
  illegal.emit(ping);
  expect(illegal.events).toEqual(['data', 'ping 0', 'state: not now']);
});

test('an error that is not a violation is thrown', () => {
  const { emit } = reading(() => {
    throw new Error('a fault');
  });
  expect(() => emit(ping)).toThrow('a fault');
});

const flood = Buffer.concat(new Array<Buffer>(frameBurst + 1).fill(frameBytes('cancel', 1)));

test('a flood pauses the transport until enough frames are earned', () => {
  const { clock, transport, emit } = reading();
  emit(flood.subarray(8));
  expect([transport.isPaused(), clock.pending()]).toEqual([false, 0]);
  emit(frameBytes('cancel', 1));
  expect([transport.isPaused(), clock.pending()]).toEqual([true, 1]);
  const pauseMs = ((frameBurst / 10 + 1) * 1000) / framesPerSecond;
  clock.advance(pauseMs * 0.99);
  expect(transport.isPaused()).toBe(true);
  clock.advance(pauseMs * 0.02);
  expect(transport.isPaused()).toBe(false);
});

test('the stop ends a pause without a resume', () => {
  const { clock, transport, reader, emit } = reading();
  emit(flood);
  reader.stop();
  expect([transport.isPaused(), clock.pending()]).toEqual([true, 0]);
});

test('a peer that sends one byte at a time has to wait, and one that sends whole frames has not', () => {
  const dripping = reading();
  for (let sent = 0; sent < 4_000; sent += 1)
    dripping.emit(ping.subarray(sent % 16, (sent % 16) + 1));
  expect(dripping.transport.isPaused()).toBe(true);
  const whole = reading();
  for (let sent = 0; sent < 4_000; sent += 1) whole.emit(ping);
  expect(whole.transport.isPaused()).toBe(false);
});
