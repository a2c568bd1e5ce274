import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { encodeHello } from '../../../src/ipc/protocol/hello.ts';
import { goodbyeMs, pingMs, silentPings } from '../../../src/ipc/protocol/limits.ts';
import { openLink } from '../../../src/ipc/protocol/link.ts';
import { createScheduler } from '../../../src/ipc/protocol/scheduler.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { frameBytes } from './raw-peer.ts';
import { recordFrames } from './recorded-frames.ts';

/** A link over a transport that never closes on its own, and the events that its streams receive. */
const linking = (isSilenceFatal = true) => {
  const clock = createFakeClock();
  const outbox = recordFrames();
  const scheduler = createScheduler(outbox);
  const transport = new Duplex({ read: () => {}, write: () => {}, final: () => {} });
  const events: string[] = [];
  const streams = {
    receive: (name: string, stream: number) => events.push(`${name} ${stream}`) > 0,
    lose: (reason: string) => void events.push(reason),
  };
  const link = openLink(transport, 'us', { isSilenceFatal, outbox, scheduler, streams, clock });
  const receive = (...frames: Buffer[]) => transport.emit('data', Buffer.concat(frames));
  const sent = () => {
    scheduler.run();
    return outbox.take();
  };
  return { clock, transport, events, link, receive, sent };
};

const hello = frameBytes('hello', 0, encodeHello('peer'));
const ping = frameBytes('ping', 0, Buffer.alloc(8, 7));

test('HELLO goes out at once, and other frames only after the peer has sent its HELLO', async () => {
  const { link, receive, sent } = linking();
  expect(sent()).toEqual([`hello 0 ${encodeHello('us').toString('hex')}`]);
  receive(hello, ping);
  await link.ready;
  expect(sent()).toEqual(['pong 0 0707070707070707']);
  expect([link.version(), link.bytesIn()]).toEqual([2, hello.length + ping.length]);
});

test('frames of streams go to the streams', () => {
  const { events, receive } = linking();
  receive(hello, frameBytes('cancel', 3));
  expect(events).toEqual(['cancel 3']);
});

test('a close loses the streams, sends GOODBYE, and hangs up after the time limit', async () => {
  const { clock, transport, events, link, receive, sent } = linking();
  receive(hello);
  sent();
  link.close({ code: 'shutdown', text: 'bye' });
  link.close({ code: 'identity', text: 'again' });
  receive(frameBytes('cancel', 3));
  expect(events).toEqual(['shutdown: bye']);
  expect(sent()).toEqual([`goodbye 0 01${Buffer.from('bye').toString('hex')}`]);
  const how = { kind: 'us', code: 'shutdown', text: 'bye' };
  expect(await link.over).toEqual(how);
  clock.advance(goodbyeMs);
  expect(await link.closed).toEqual(how);
  expect([transport.destroyed, clock.pending()]).toEqual([true, 0]);
});

test('a link that closes before HELLO rejects `ready`', async () => {
  const { link } = linking();
  link.close({ code: 'shutdown', text: 'bye' });
  await expect(link.ready).rejects.toThrow('shutdown: bye');
});

test('the GOODBYE of the peer ends the link without an answer', async () => {
  const { events, link, receive, sent } = linking();
  sent();
  receive(hello, frameBytes('goodbye', 0, Buffer.from('\x02gone')), ping);
  expect(events).toEqual(['identity: gone']);
  expect(sent()).toEqual([]);
  expect(await link.closed).toEqual({ kind: 'peer', code: 'identity', text: 'gone' });
});

test.each([
  ['a frame before HELLO', [ping], 'hello: ping before the hello'],
  ['a second HELLO', [hello, hello], 'state: a second hello'],
  ['an unknown frame', [hello, Buffer.alloc(8, 0xff)], 'type: no frame has type 255'],
] as const)('%s closes the link', (_name, frames, reason) => {
  const { events, receive } = linking();
  receive(...frames);
  expect(events).toEqual([reason]);
});

test('a local program may be silent for any time', async () => {
  const { clock, link, receive, sent } = linking(false);
  receive(hello);
  sent();
  clock.advance(10 * silentPings * pingMs);
  expect(sent()).toEqual(['ping 0 0100000000000000']);
  link.close({ code: 'shutdown', text: 'bye' });
  expect(await link.over).toMatchObject({ code: 'shutdown' });
});

test('a silent peer closes the link as hung', async () => {
  const { clock, link } = linking();
  clock.advance((silentPings + 1) * pingMs);
  expect(await link.over).toEqual({ kind: 'us', code: 'hung', text: 'nothing came for 6 s' });
});

test.each([
  ['end', undefined, 'ended', 'the peer ended the transport without GOODBYE'],
  ['close', undefined, 'ended', 'the transport closed'],
  ['error', new Error('a broken ring'), 'failed', 'a broken ring'],
] as const)('the event `%s` of the transport ends the link', async (event, error, code, text) => {
  const { transport, link } = linking();
  transport.emit(event, error);
  expect(await link.over).toEqual({ kind: 'transport', code, text });
});
