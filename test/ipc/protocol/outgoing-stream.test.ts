import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openOutgoingStream } from '../../../src/ipc/protocol/outgoing-stream.ts';
import { createScheduler } from '../../../src/ipc/protocol/scheduler.ts';
import { fullBudget } from '../../../src/ipc/protocol/window.ts';
import { bytes, echoRequest, openPayload, vouchPayload } from './raw-peer.ts';
import { recordFrames } from './recorded-frames.ts';

const opened = (source?: string) => {
  const outbox = recordFrames();
  const scheduler = createScheduler(outbox);
  scheduler.start();
  const order: string[] = [];
  const { call, receive, lose } = openOutgoingStream(
    { outbox, scheduler, budget: fullBudget() },
    5,
    source === undefined ? echoRequest : { ...echoRequest, source },
    () => order.push('ended'),
    () => order.push('released'),
  );
  /** The frames that go out once all callbacks of the streams have run. */
  const sent = async () => {
    await setImmediate();
    return outbox.take();
  };
  return { call, receive, lose, sent, order };
};

const open = `open 5 ${openPayload.toString('hex')}`;

test('OPEN goes out before the input; a call with a source begins with VOUCH', async () => {
  const { call, sent } = opened();
  call.stdin.end('in');
  expect(await sent()).toEqual([open, 'stdin 5 696e', 'stdin 5']);
  expect(await opened('workload-vm').sent()).toEqual([`vouch 5 ${vouchPayload.toString('hex')}`]);
});

test('a call that exits is released, and its outputs are whole', async () => {
  const { call, receive, sent, order } = opened();
  await sent();
  receive('stdout', Buffer.from('out'));
  receive('stdout', bytes());
  receive('stderr', bytes());
  receive('exit', bytes(3));
  expect(order).toEqual(['ended']);
  expect(await call.outcome).toEqual({ kind: 'exited', status: 3 });
  expect(`${await buffer(call.stdout)}${await buffer(call.stderr)}`).toBe('out');
  expect(call.stdin.errored).toMatchObject({ code: 'EPIPE' });
  expect(await sent()).toEqual(['release 5']);
  expect(order).toEqual(['ended', 'released']);
});

test('a refused call has empty outputs', async () => {
  const { call, receive, sent } = opened();
  await sent();
  receive('refuse', Buffer.from('\x03full'));
  expect(await call.outcome).toEqual({ kind: 'refused', refusal: { code: 'busy', text: 'full' } });
  expect(`${await buffer(call.stdout)}${await buffer(call.stderr)}`).toBe('');
  expect(await sent()).toEqual(['release 5']);
});

test('a cancelled call sends CANCEL once, no STOP, and waits for the outcome', async () => {
  const { call, receive, sent } = opened();
  await sent();
  call.stdin.write('in');
  call.cancel();
  call.cancel();
  expect(await sent()).toEqual(['cancel 5']);
  expect(call.stdout.errored).toMatchObject({ code: 'CANCELLED' });
  receive('exit', bytes(130));
  expect(await call.outcome).toEqual({ kind: 'exited', status: 130 });
  call.cancel();
  expect(await sent()).toEqual(['release 5']);
});

test('a call that is cancelled at once sends OPEN, then CANCEL', async () => {
  const { call, sent } = opened();
  call.cancel();
  expect(await sent()).toEqual([open, 'cancel 5']);
});

test('a caller that reads no more sends STOP', async () => {
  const { call, sent } = opened();
  await sent();
  call.stderr.destroy();
  expect(await sent()).toEqual(['stop 5 02']);
});

test('a lost call destroys its channels with LINK_LOST', async () => {
  const { call, lose, order } = opened();
  lose('the link closed');
  expect(await call.outcome).toEqual({ kind: 'lost', reason: 'the link closed' });
  for (const { errored } of [call.stdin, call.stdout, call.stderr]) {
    expect(errored).toMatchObject({ code: 'LINK_LOST', message: 'the link closed' });
  }
  call.cancel();
  expect(order).toEqual([]);
});
