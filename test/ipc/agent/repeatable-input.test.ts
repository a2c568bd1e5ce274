/** A call's input can be sent a second time, unchanged, after the first receiver refused the call. */
import { EventEmitter, on } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openRepeatableInput } from '../../../src/ipc/agent/repeatable-input.ts';
import type { IncomingCall, Outcome, OutgoingCall } from '../../../src/ipc/protocol/call.ts';
import { linked, request } from '../protocol/linked.ts';

/** A target with an echo service, and a `relay` service whose calls the test answers itself. */
const targets = async () => {
  const arrivals = new EventEmitter();
  const calls = on(arrivals, 'call');
  const { client } = await linked((call) => {
    if (call.request.service === 'relay') arrivals.emit('call', call);
    else call.stdin.on('end', () => call.exit(0)).pipe(call.stdout);
  });
  const relay = async (): Promise<IncomingCall> => (await calls.next()).value[0];
  return { client, relay };
};

test('the input of a call that was refused before it was relayed is sent again from its beginning', async () => {
  const { client, relay } = await targets();
  const chunks = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.nat(7), async (sizes, refusedAfter) => {
      const stdin = new PassThrough();
      const input = openRepeatableInput(stdin);
      const first = client.open(request('relay'));
      input.sayTo(first);
      const refuse = async (): Promise<void> =>
        (await relay()).refuse({ code: 'unreachable', text: 'the relay stops' });
      let said = Buffer.alloc(0);
      const parts = sizes.map((size, index) => Buffer.alloc(size, `${index}`));
      const write = async (): Promise<void> => {
        for (const [index, part] of parts.entries()) {
          if (index === refusedAfter) await refuse();
          said = Buffer.concat([said, part]);
          stdin.write(part);
          await setImmediate();
        }
        stdin.end();
        if (refusedAfter >= parts.length) await refuse();
      };
      const written = write();
      const outcome = await first.outcome;
      expect(input.mayRepeat(outcome)).toBe(true);
      const second = client.open(request('echo'));
      const echoed = buffer(second.stdout);
      input.sayTo(second);
      await written;
      expect((await echoed).equals(said)).toBe(true);
      expect(await second.outcome).toEqual({ kind: 'exited', status: 0 });
    }),
    { numRuns: 100 },
  );
});

test('input that a relay has passed on is not sent again', async () => {
  const { client, relay } = await targets();
  const stdin = new PassThrough();
  const input = openRepeatableInput(stdin);
  const first = client.open(request('relay'));
  input.sayTo(first);
  stdin.write(Buffer.alloc(100_000));
  const incoming = await relay();
  let heard = 0;
  // By reading the input the relay grants credit, which counts as proof that it has passed the call on.
  incoming.stdin.on('data', ({ length }: Buffer) => {
    heard += length;
    if (heard === 100_000) incoming.refuse({ code: 'unreachable', text: 'a lie' });
  });
  expect(input.mayRepeat(await first.outcome)).toBe(false);
  await expect.poll(() => stdin.destroyed).toBe(true);
});

test('input is sent again only if no target got it, and a receiver that stops reading stops the sender', async () => {
  const { client, relay } = await targets();
  const ends: ((call: IncomingCall) => void)[] = [
    (call) => call.refuse({ code: 'denied', text: 'no' }),
    (call) => call.refuse({ code: 'busy', text: 'later' }),
    (call) => call.exit(0),
    (call) => call.stdin.destroy(),
  ];
  for (const end of ends) {
    const stdin = new PassThrough();
    const input = openRepeatableInput(stdin);
    const first = client.open(request('relay'));
    input.sayTo(first);
    stdin.write('x');
    const incoming = await relay();
    end(incoming);
    await expect.poll(() => stdin.destroyed).toBe(true);
    incoming.exit(0);
    first.stdout.resume();
    first.stderr.resume();
    expect(input.mayRepeat(await first.outcome)).toBe(false);
  }
});

const refused = {
  kind: 'refused',
  refusal: { code: 'unreachable', text: 'no' },
} as const satisfies Outcome;

/** A call whose stdin takes everything, and whose outcome the test sets with `end`. */
const openFakeCall = () => {
  const chunks: Buffer[] = [];
  const stdin = new Writable({
    write: (chunk: Buffer, _encoding, callback) => {
      chunks.push(chunk);
      callback();
    },
  });
  let end = (_outcome: Outcome): void => {};
  const outcome = new Promise<Outcome>((resolve) => {
    end = resolve;
  });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const call: OutgoingCall = { stdin, stdout, stderr, outcome, cancel: () => {} };
  return { call, end, said: () => `${Buffer.concat(chunks)}` };
};

test('the first call can close its stdin after the second call has begun', async () => {
  const stdin = new PassThrough();
  const input = openRepeatableInput(stdin);
  const [first, second] = [openFakeCall(), openFakeCall()];
  input.sayTo(first.call);
  stdin.write('one ');
  await expect.poll(first.said).toBe('one ');
  first.end(refused);
  input.sayTo(second.call);
  first.call.stdin.destroy();
  await setImmediate();
  stdin.end('two');
  await expect.poll(second.said).toBe('one two');
  await expect.poll(() => second.call.stdin.writableFinished).toBe(true);
});

test('input is lost once a relay stops reading it, even if the relay refuses the call afterwards', async () => {
  const { client, relay } = await targets();
  const stdin = new PassThrough();
  const input = openRepeatableInput(stdin);
  const first = client.open(request('relay'));
  input.sayTo(first);
  stdin.write('x');
  const incoming = await relay();
  incoming.stdin.destroy();
  await expect.poll(() => stdin.destroyed).toBe(true);
  incoming.refuse(refused.refusal);
  expect(input.mayRepeat(await first.outcome)).toBe(false);
});

test('input that waits for credit is kept whole, even in chunks larger than the window', async () => {
  const { client, relay } = await targets();
  const stdin = Readable.from([Buffer.alloc(200_000, 'a'), Buffer.alloc(200_000, 'b')]);
  const input = openRepeatableInput(stdin);
  const first = client.open(request('relay'));
  input.sayTo(first);
  (await relay()).refuse(refused.refusal);
  expect(input.mayRepeat(await first.outcome)).toBe(true);
  const second = client.open(request('echo'));
  const echoed = buffer(second.stdout);
  input.sayTo(second);
  expect((await echoed).length).toBe(400_000);
});
