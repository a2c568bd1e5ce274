import { expect, test, vi } from 'vitest';
import { startHeartbeat } from '../../../src/ipc/protocol/heartbeat.ts';
import { pingMs, silentPings } from '../../../src/ipc/protocol/limits.ts';
import { createScheduler } from '../../../src/ipc/protocol/scheduler.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { recordFrames } from './recorded-frames.ts';

const beating = () => {
  const clock = createFakeClock();
  const outbox = recordFrames();
  const scheduler = createScheduler(outbox);
  scheduler.start();
  const onHung = vi.fn();
  const heartbeat = startHeartbeat(outbox, scheduler, clock, onHung);
  const sent = () => {
    scheduler.run();
    return outbox.take();
  };
  return { clock, heartbeat, onHung, sent };
};

const payloadOf = (serial: number): Buffer => Buffer.from([serial, 0, 0, 0, 0, 0, 0, 0]);

test('one PING is under way at a time, and its PONG measures the round trip', () => {
  const { clock, heartbeat, sent } = beating();
  clock.advance(pingMs);
  expect(sent()).toEqual(['ping 0 0100000000000000']);
  heartbeat.heard();
  clock.advance(pingMs);
  expect(sent()).toEqual([]);
  clock.advance(30);
  expect(heartbeat.rttMs()).toBeUndefined();
  heartbeat.pong(payloadOf(1));
  expect(heartbeat.rttMs()).toBe(pingMs + 30);
  clock.advance(pingMs);
  expect(sent()).toEqual(['ping 0 0200000000000000']);
});

test('a PONG without its PING is a violation', () => {
  const { clock, heartbeat, sent } = beating();
  expect(() => heartbeat.pong(payloadOf(1))).toThrow('pong without its ping');
  clock.advance(pingMs);
  sent();
  expect(() => heartbeat.pong(payloadOf(2))).toThrow('pong without its ping');
});

test('a PING is answered with its own payload, and only one may wait for its answer', () => {
  const { heartbeat, sent } = beating();
  heartbeat.ping(payloadOf(7));
  expect(() => heartbeat.ping(payloadOf(8))).toThrow('ping before the answer to another');
  expect(sent()).toEqual(['pong 0 0700000000000000']);
  heartbeat.ping(payloadOf(8));
  expect(sent()).toEqual(['pong 0 0800000000000000']);
});

test('a peer hangs after a number of silent intervals, and any data counts', () => {
  const { clock, heartbeat, onHung } = beating();
  clock.advance(silentPings * pingMs);
  heartbeat.heard();
  clock.advance(silentPings * pingMs);
  expect(onHung).not.toHaveBeenCalled();
  clock.advance(pingMs);
  expect(onHung).toHaveBeenCalledOnce();
});

test('the stop ends the PINGs', () => {
  const { clock, heartbeat, onHung, sent } = beating();
  heartbeat.stop();
  clock.advance(100 * pingMs);
  expect([sent(), clock.pending()]).toEqual([[], 0]);
  expect(onHung).not.toHaveBeenCalled();
});
