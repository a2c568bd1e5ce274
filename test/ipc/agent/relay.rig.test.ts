/** Calls over a relay work like direct calls, except that the relay vouches for the source's name. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { initialWindow } from '../../../src/ipc/protocol/limits.ts';
import { slowness } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { makeThree, routeTo, startLinked } from './relay-vms.ts';
import {
  ask,
  linkTo,
  listenEcho,
  makeVm,
  peersBecome,
  peersOf,
  services,
  startHost,
} from './vms.ts';

const cat = { target: 'sa-vm', service: 'cat', argument: '' };

test('a relayed call passes stdin, stdout, stderr, the exit status, the source and the relay', async () => {
  const host = await startHost();
  const env =
    '#!/bin/sh\nread line; echo "$line"; exec >&-\nwhile read line; do echo "$line" >&2; done\n' +
    'echo "$QREXEC_REMOTE_DOMAIN via $VIFWATCH_VIA" >&2; exit 7\n';
  const { relay, sa, client } = await makeThree(host, { services: { ...services, env } });
  await startLinked(relay, sa, client);

  const called = await client.vifwatch(['call', 'sa-vm', 'env+key1'], 'one\ntwo\nthree\n');
  expect(called).toEqual({
    status: 7,
    stdout: Buffer.from('one\n'),
    stderr: 'two\nthree\nworkload-vm via mgmt-vm\n',
  });
  const missing = await client.vifwatch(['call', 'sa-vm', 'nothing']);
  expect(missing.status).toBe(127);
  expect(sa.log()).toMatch(
    /"from":"workload-vm","via":"mgmt-vm","service":"env\+key1","verdict":"allow"/,
  );
  expect(sa.log()).not.toMatch(/"domid":\d+,"via"/);
  expect(relay.log()).toMatch(
    /"from":"workload-vm","to":"sa-vm","service":"env","argument":"key1"/,
  );

  // The first call is half-closed, the second is cancelled.
  const mux = await linkTo(client);
  const open = mux.open({ ...cat, service: 'env' });
  open.stdin.write('first\n');
  expect(`${await once(open.stdout, 'data')}`).toBe('first\n');
  open.stdin.end('second\n');
  expect(`${await once(open.stderr, 'data')}`).toMatch(/^second\n/);
  open.stderr.resume();
  open.stdout.resume();
  expect(await open.outcome).toEqual({ kind: 'exited', status: 7 });
  const cancelled = mux.open({ ...cat, service: 'pid' });
  await once(cancelled.stdout, 'data');
  await peersBecome(relay, 'one relayed call is under way', ({ relayed }) => relayed === 1);
  cancelled.cancel();
  await peersBecome(relay, 'no relayed call is under way', ({ relayed }) => relayed === 0);
  await expect
    .poll(() => sa.log())
    .toMatch(/"service":"pid","kind":"exited","status":143.*"cancelled":true/);

  // The list of peers also shows a VM that is reached over the relay.
  const document = await peersOf(mux);
  expect(document).toMatchObject({ relay: 'mgmt-vm', relayed: null });
  expect(routeTo('sa-vm', 'relay')(document) && routeTo('mgmt-vm', 'direct')(document)).toBe(true);
  const shown = await relay.vifwatch(['peers']);
  expect(`${shown.stdout}`).toMatch(/relayed calls under way: 0\n$/);
  expect((await client.vifwatch(['peers', '--json'])).status).toBe(1);
  // Calls to the relay itself and from it are ordinary calls.
  const own = await relay.vifwatch(['call', 'sa-vm', 'hello']);
  expect(`${own.stdout}`).toBe('hello mgmt-vm, you said \n');
});

test("a call of several megabytes in both directions keeps the reader's pace", async () => {
  const host = await startHost();
  const { relay, sa, client } = await makeThree(host);
  await startLinked(relay, sa, client);
  const mux = await linkTo(client);
  const bytes = randomBytes(1 << 22);
  const call = mux.open(cat);
  call.stdin.end(bytes);
  // While nobody reads, the links take only what their three windows each way and the pipes can hold.
  await once(call.stdout, 'readable');
  const sent = () => mux.statistics().bytesOut;
  // This machine would send more data within this time if the windows did not stop it.
  const pauseMs = 200 * (await slowness());
  await until('no more bytes are sent', async () => {
    const before = sent();
    await delay(pauseMs);
    // A ping may still go out.
    return sent() - before < initialWindow;
  });
  expect(sent()).toBeLessThan(2_500_000);
  const chunks: Buffer[] = [];
  for await (const chunk of call.stdout) {
    chunks.push(chunk);
    // The reader is slower than the writer.
    if (chunks.length % 8 === 0) await delay(1);
  }
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  expect(await call.outcome).toEqual({ kind: 'exited', status: 0 });
});

test('the relay reaches a VM whose name the caller cannot read in xenstore', async () => {
  const host = await startHost();
  const { relay, sa, client } = await makeThree(host);
  const readableBy = (...domids: number[]) => [
    { domid: 0, read: false, write: false },
    ...domids.map((domid) => ({ domid, read: true, write: false })),
  ];
  await host.dom0.setPermissions('/ipc/domain-map', readableBy(relay.domid));
  await host.dom0.setPermissions('/ipc/domain-map/sa-vm', readableBy(relay.domid));
  await startLinked(relay, sa, client);
  const mux = await linkTo(client);
  expect((await ask(mux, cat, 'hello')).stdout.toString()).toBe('hello');
  const { peers } = await peersOf(mux);
  expect(peers.find(({ name }) => name === 'sa-vm')).toMatchObject({
    domid: null,
    state: 'unknown',
    route: 'relay',
    streams: 0,
  });
});

test('a source that makes as many calls as it can leaves room for others', async () => {
  const host = await startHost();
  const { relay, sa, client } = await makeThree(host, {
    serviceConfigs: { echo: 'skip-service-descriptor = true\n' },
  });
  await listenEcho(sa);
  const other = await makeVm(host, 'key-vm', { connect: ['mgmt-vm'], relay: 'mgmt-vm' });
  await startLinked(relay, sa, client, other);
  const echo = { ...cat, service: 'echo' };
  const mux = await linkTo(client);
  const calls = Array.from({ length: 1000 }, () => mux.open(echo));
  const busy = new Set<number>();
  calls.forEach(({ outcome }, index) => {
    void outcome.then(({ kind }) => kind === 'refused' && busy.add(index));
  });
  await expect.poll(() => busy.size).toBe(1000 - 256);
  await peersBecome(relay, 'the relay has 256 relayed calls', ({ relayed }) => relayed === 256);
  expect(`${(await ask(await linkTo(other), echo, 'mine')).stdout}`).toBe('mine');
  expect((await ask(mux, echo)).outcome).toMatchObject({ refusal: { code: 'busy' } });
  // Calls that end make room for new ones.
  for (const call of calls) call.cancel();
  await peersBecome(relay, 'the relay has no relayed call', ({ relayed }) => relayed === 0);
  expect(`${(await ask(mux, echo, 'again')).stdout}`).toBe('again');
  // Each call logs two lines, which is more than the rate limit allows one peer.
  await expect
    .poll(async () => {
      await ask(mux, echo);
      return sa.log();
    })
    .toMatch(/"from":"workload-vm".*"suppressed":\d+/);
});

test('no call goes over two relays', async () => {
  const host = await startHost();
  // mgmt-vm and sa-vm each name the other as the relay.
  const relay = await makeVm(host, 'mgmt-vm', { serve: ['*'], relay: 'sa-vm' });
  const sa = await makeVm(host, 'sa-vm', { connect: ['mgmt-vm'], relay: 'mgmt-vm' });
  const client = await makeVm(host, 'workload-vm', { connect: ['mgmt-vm'], relay: 'mgmt-vm' });
  await startLinked(relay, sa, client);
  const { status, stderr } = await client.vifwatch(['call', 'sa-vm', 'cat']);
  expect(status).toBe(125);
  expect(stderr).toContain('over relay mgmt-vm: mgmt-vm is not a relay');
});
