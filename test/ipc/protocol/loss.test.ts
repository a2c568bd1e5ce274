/** A link that ends unexpectedly settles its calls at both ends. */
import { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, expect, test, vi } from 'vitest';
import type { IncomingCall } from '../../../src/ipc/protocol/call.ts';
import { headerBytes, pingMs, silentPings } from '../../../src/ipc/protocol/limits.ts';
import { openMux } from '../../../src/ipc/protocol/mux.ts';
import { echo, linked, request, talk } from './linked.ts';
import { done } from './raw-peer.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A transport without another end. */
const nobody = (): Duplex =>
  new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });

test('a transport that breaks settles every call at both ends', async () => {
  const incoming: IncomingCall[] = [];
  const { client, server, theirs } = await linked((call) => {
    incoming.push(call);
    call.stdout.write(Buffer.alloc(100_000));
  });
  const calls = Array.from({ length: 20 }, () => client.open(request('endless')));
  for (const call of calls) call.stdin.write(Buffer.alloc(100_000));
  await expect.poll(() => incoming.length).toBe(20);
  const outputs = calls.map((call) => buffer(call.stdout).then(String, ({ code }) => code));
  theirs.destroy(new Error('EIO: the ring is corrupt'));
  expect(await client.closed).toEqual({
    kind: 'transport',
    code: 'failed',
    text: 'EIO: the ring is corrupt',
  });
  expect(await server.closed).toMatchObject({ kind: 'transport', code: 'ended' });
  for (const call of calls) expect(await call.outcome).toMatchObject({ kind: 'lost' });
  expect(new Set(await Promise.all(outputs))).toEqual(new Set(['LINK_LOST']));
  for (const { stdin, stdout, stderr, cancelled } of incoming) {
    expect(cancelled.aborted).toBe(true);
    expect([stdin, stdout, stderr].every(({ destroyed }) => destroyed)).toBe(true);
  }
  expect([client, server].map((mux) => mux.statistics().streams)).toEqual([0, 0]);
  expect(await client.open(request('late')).outcome).toMatchObject({ kind: 'lost' });
});

test('an output that arrived whole can still be read after the link is lost', async () => {
  const { client, theirs } = await linked((call) => {
    call.stdin.resume();
    call.stdout.end('whole');
  });
  const call = client.open(request('any'));
  call.stdin.end();
  const before = client.statistics().bytesIn;
  await expect.poll(() => client.statistics().bytesIn - before).toBeGreaterThanOrEqual(21);
  theirs.destroy();
  expect(await call.outcome).toMatchObject({ kind: 'lost' });
  expect(`${await buffer(call.stdout)}`).toBe('whole');
});

test('a goodbye passes its reason to the peer and its calls', async () => {
  const { client, server } = await linked(() => {});
  const call = client.open(request('any'));
  server.close({ code: 'identity', text: 'domid 7 has another name now' });
  const heard = { code: 'identity', text: 'domid 7 has another name now' };
  expect(await client.closed).toEqual({ kind: 'peer', ...heard });
  expect(await server.closed).toEqual({ kind: 'us', ...heard });
  expect(await call.outcome).toEqual({
    kind: 'lost',
    reason: 'identity: domid 7 has another name now',
  });
});

test('a peer that is silent for 6 s counts as hung, even before the hello', async () => {
  vi.useFakeTimers();
  const mux = openMux(nobody(), { role: 'client', name: 'c', onCall: () => {} });
  const call = mux.open(request('any'));
  await vi.advanceTimersByTimeAsync(5900);
  expect(mux.statistics().streams).toBe(1);
  await vi.advanceTimersByTimeAsync(4000);
  expect(await mux.closed).toMatchObject({ kind: 'us', code: 'hung' });
  expect(await call.outcome).toMatchObject({ kind: 'lost' });
  await expect(mux.ready).rejects.toThrow('hung');
});

test('an idle link is kept alive by its pings, which measure the round trip', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { client } = await linked(echo);
  expect(client.statistics().rttMs).toBeUndefined();
  for (let round = 0; round < 2 * silentPings; round += 1) {
    const before = client.statistics().bytesIn;
    const from = performance.now();
    vi.advanceTimersByTime(pingMs);
    // Two frames arrive: the peer's ping, and its answer to this end's ping.
    await expect.poll(() => client.statistics().bytesIn - before).toBe(2 * (headerBytes + 8));
    expect(client.statistics().rttMs).toBeLessThan(performance.now() - from);
  }
  const { outcome } = await talk(client.open(request('echo')), Buffer.from('x'));
  expect(outcome).toEqual({ kind: 'exited', status: 0 });
});

test('the link to a peer that does not read the goodbye is closed after a second', async () => {
  vi.useFakeTimers();
  const deaf = new Duplex({ read: () => {}, write: () => {} });
  const mux = openMux(deaf, { role: 'server', name: 's', onCall: () => {} });
  mux.close(done);
  await vi.advanceTimersByTimeAsync(1100);
  expect(await mux.closed).toMatchObject({ kind: 'us', code: 'shutdown' });
  expect(deaf.destroyed).toBe(true);
});
