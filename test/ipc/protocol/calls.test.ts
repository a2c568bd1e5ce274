import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallRequest, IncomingCall } from '../../../src/ipc/protocol/call.ts';
import { maxStreams } from '../../../src/ipc/protocol/limits.ts';
import { echo, linked, request, talk } from './linked.ts';

test('1000 calls at a time over a link of 4 KiB are all byte-exact', async () => {
  const { client, server } = await linked(echo, 4096);
  const inputs = Array.from({ length: 1000 }, (_, index) => randomBytes(index * 13));
  const calls = inputs.map((input) => talk(client.open(request('echo')), input));
  await setImmediate();
  expect(client.statistics().streams).toBe(1000);
  for (const [index, { stdout, outcome }] of (await Promise.all(calls)).entries()) {
    expect(stdout.equals(inputs[index] as Buffer)).toBe(true);
    expect(outcome).toEqual({ kind: 'exited', status: 0 });
  }
  await expect.poll(() => [client, server].map((mux) => mux.statistics().streams)).toEqual([0, 0]);
});

test('a target that writes and exits at once loses no byte of its outputs, and its status arrives', async () => {
  const { client } = await linked((call) => {
    const [out, err, status] = call.request.argument.split('-').map(Number);
    call.stdin.resume();
    call.stdout.end(Buffer.alloc(out ?? 0, 'o'));
    call.stderr.write(Buffer.alloc(err ?? 0, 'e'));
    call.exit(status ?? 0);
  });
  const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 262_144 }));
  await fc.assert(
    fc.asyncProperty(size, size, size, fc.nat(255), async (input, out, err, status) => {
      const call = client.open(request('say', `${out}-${err}-${status}`));
      const { stdout, stderr, outcome } = await talk(call, Buffer.alloc(input));
      expect(stdout.equals(Buffer.alloc(out, 'o'))).toBe(true);
      expect(stderr.equals(Buffer.alloc(err, 'e'))).toBe(true);
      expect(outcome).toEqual({ kind: 'exited', status });
    }),
    { numRuns: 200 },
  );
});

test('either direction can end first', async () => {
  const { client } = await linked(async (call) => {
    call.stdout.end('early');
    call.stderr.end(await buffer(call.stdin));
    call.exit(7);
  });
  const call = client.open(request('half'));
  expect(`${await buffer(call.stdout)}`).toBe('early');
  call.stdin.end('late');
  expect(`${await buffer(call.stderr)}`).toBe('late');
  expect(await call.outcome).toEqual({ kind: 'exited', status: 7 });
});

test('both sides can call', async () => {
  const { server, client } = await linked(echo);
  const { stdout, outcome } = await talk(server.open(request('any')), Buffer.from('x'));
  expect(stdout).toHaveLength(0);
  expect(outcome).toEqual({
    kind: 'refused',
    refusal: { code: 'not-found', text: 'a caller' },
  });
  expect(`${(await talk(client.open(request('echo')), Buffer.from('y'))).stdout}`).toBe('y');
});

test('a refusal after some output becomes exit status 125', async () => {
  const { client } = await linked((call) => {
    call.stdout.write('begun', () => call.refuse({ code: 'failed', text: 'late' }));
  });
  expect(await talk(client.open(request('late')), Buffer.alloc(0))).toMatchObject({
    outcome: { kind: 'exited', status: 125 },
  });
});

test("the target's refusal text is made printable and cut", async () => {
  const { client } = await linked((call) => {
    call.refuse({ code: 'busy', text: `\x1b[2J\u{1f4a9}${'x'.repeat(300)}` });
  });
  const { outcome } = await talk(client.open(request('any')), Buffer.alloc(0));
  expect(outcome).toMatchObject({ refusal: { text: `?[2J??${'x'.repeat(194)}` } });
});

test('a request with invalid fields is not sent', async () => {
  const { client } = await linked(echo);
  expect(() => client.open(request('../sh'))).toThrow('1 to 63 of A-Za-z0-9._-');
  expect(() => client.open(request('echo', 'a b'))).toThrow('argument');
  expect(() => client.open(request('echo', 'a'.repeat(192)))).toThrow('191');
  expect(() => client.open({ ...request('echo'), target: '@anyvm' })).toThrow('VM');
  expect(() => client.open({ ...request('echo'), source: '' })).toThrow('VM');
  expect(() => client.open({ ...request('echo'), source: 'a', target: 'b' })).toThrow(
    'empty target',
  );
});

test('a call carries its target or its source', async () => {
  const requests: CallRequest[] = [];
  const { client } = await linked((call) => {
    requests.push(call.request);
    call.refuse({ code: 'unreachable', text: 'no relay' });
  });
  const asked: CallRequest[] = [
    { target: '', service: 'a', argument: 'b+c' },
    { target: 'sa-vm', service: 'a', argument: '' },
    { target: '', service: 'a', argument: 'x', source: 'workload-vm' },
  ];
  for (const request of asked)
    expect((await talk(client.open(request), Buffer.alloc(0))).outcome).toMatchObject({
      refusal: { code: 'unreachable', text: 'no relay' },
    });
  expect(requests).toEqual(asked);
});

test('the call beyond the limit is busy, and the link goes on', async () => {
  const { client } = await linked(echo);
  const calls = Array.from({ length: maxStreams + 1 }, () => client.open(request('echo')));
  expect(await calls.at(-1)?.outcome).toMatchObject({ refusal: { code: 'busy' } });
  const ends = await Promise.all(calls.slice(0, -1).map((call) => talk(call, Buffer.from('z'))));
  expect(ends.every(({ outcome }) => outcome.kind === 'exited')).toBe(true);
});

test('a reader that closes its stream gives the writer EPIPE, on both sides', async () => {
  const codes: (string | undefined)[] = [];
  const { client } = await linked((call) => {
    call.stdin.destroy();
    call.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
      codes.push(code);
      call.exit(141);
    });
    call.stdout.write(Buffer.alloc(100_000));
  });
  const call = client.open(request('yes'));
  call.stdin.on('error', ({ code }: NodeJS.ErrnoException) => codes.push(code));
  call.stdin.write(Buffer.alloc(100_000));
  call.stdout.once('data', () => call.stdout.destroy());
  expect(await call.outcome).toEqual({ kind: 'exited', status: 141 });
  expect(codes).toEqual(['EPIPE', 'EPIPE']);
});

describe('a call that is cancelled', () => {
  const phases = [
    'at once',
    'opened',
    'stdin flows',
    'stdout flows',
    'stdin ended',
    'exiting',
  ] as const;
  test.each(phases)('in phase "%s" ends at both sides', async (phase) => {
    const incoming: IncomingCall[] = [];
    const { client, server } = await linked((call) => {
      incoming.push(call);
      call.cancelled.addEventListener('abort', () => call.exit(130));
      if (phase === 'stdout flows') call.stdout.write(Buffer.alloc(300_000));
      if (phase === 'exiting') {
        call.stdout.write(Buffer.alloc(300_000));
        call.exit(0);
      }
    });
    const call = client.open(request('sleep'));
    if (phase !== 'at once') await expect.poll(() => incoming.length).toBe(1);
    if (phase === 'stdin flows') call.stdin.write(Buffer.alloc(300_000));
    if (phase === 'stdin ended') call.stdin.end();
    await setImmediate();
    call.cancel();
    call.cancel();
    const status = phase === 'exiting' ? 0 : 130;
    expect(await call.outcome).toEqual({ kind: 'exited', status });
    expect(incoming[0]?.cancelled.aborted).toBe(true);
    expect([call.stdin, call.stdout, call.stderr].every(({ destroyed }) => destroyed)).toBe(true);
    await expect.poll(() => server.statistics().streams).toBe(0);
  });
});
