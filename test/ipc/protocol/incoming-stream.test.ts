import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { openIncomingStream } from '../../../src/ipc/protocol/incoming-stream.ts';
import { createScheduler } from '../../../src/ipc/protocol/scheduler.ts';
import { fullBudget } from '../../../src/ipc/protocol/window.ts';
import { bytes, echoRequest } from './raw-peer.ts';
import { recordFrames } from './recorded-frames.ts';

const opened = () => {
  const outbox = recordFrames();
  const scheduler = createScheduler(outbox);
  scheduler.start();
  const onReleased = vi.fn();
  const link = { outbox, scheduler, budget: fullBudget() };
  const { call, receive, lose } = openIncomingStream(link, 5, echoRequest, onReleased);
  /** The frames that go out once all callbacks of the streams have run. */
  const sent = async () => {
    await setImmediate();
    return outbox.take();
  };
  return { call, receive, lose, sent, onReleased };
};

test('a call stops its input, ends with EXIT after its outputs, and is released by the caller', async () => {
  const { call, receive, sent, onReleased } = opened();
  call.stdout.write('out');
  call.exit(3);
  const outputs = ['stdout 5 6f7574', 'stderr 5', 'stdout 5'];
  expect(await sent()).toEqual(['stop 5 00', ...outputs, 'exit 5 03']);
  receive('release', bytes());
  expect(onReleased).toHaveBeenCalledOnce();
  receive('release', bytes());
  expect(onReleased).toHaveBeenCalledOnce();
});

test('a refused call sends REFUSE alone, even with output that waits', async () => {
  const { call, sent } = opened();
  call.stdout.write('out');
  call.refuse({ code: 'busy', text: 'full' });
  call.exit(0);
  expect(await sent()).toEqual([`refuse 5 03${Buffer.from('full').toString('hex')}`]);
  expect([call.stdin, call.stdout, call.stderr].every(({ destroyed }) => destroyed)).toBe(true);
});

test('a service that reads no more sends STOP', async () => {
  const { call, sent } = opened();
  call.stdin.destroy();
  expect(await sent()).toEqual(['stop 5 00']);
});

test('a cancelled call aborts its signal, and still sends its exit status', async () => {
  const { call, receive, sent } = opened();
  call.stdout.write('out');
  receive('cancel', bytes());
  expect(call.cancelled.reason).toMatchObject({ code: 'CANCELLED' });
  expect(call.stdin.errored).toBe(call.cancelled.reason);
  expect(await sent()).toEqual([]);
  call.exit(130);
  expect(await sent()).toEqual(['exit 5 82']);
});

test('a lost call aborts its signal, and sends nothing more', async () => {
  const { call, receive, lose, sent, onReleased } = opened();
  lose('the link closed');
  expect(call.cancelled.reason).toMatchObject({ code: 'LINK_LOST', message: 'the link closed' });
  call.exit(0);
  receive('stdin', bytes(1));
  expect(await sent()).toEqual([]);
  expect(onReleased).not.toHaveBeenCalled();
});
