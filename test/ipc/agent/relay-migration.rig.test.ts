/** VMs move from a relay to direct links while calls run all the time. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Mux } from '../../../src/ipc/protocol/mux.ts';
import { makeThree, routeTo, startLinked } from './relay-vms.ts';
import { ask, linkTo, peerIs, peersBecome, services, startHost } from './vms.ts';

const cat = { target: 'sa-vm', service: 'cat', argument: '' };
const relayed = { connect: ['mgmt-vm'], relay: 'mgmt-vm' };

/** Keeps four calls running until `stop`, which gives the calls that failed. */
const startCalling = (mux: Mux) => {
  const wrong: unknown[] = [];
  let made = 0;
  let going = true;
  const callRepeatedly = async (): Promise<void> => {
    while (going) {
      const input = `call ${made}`.repeat(made % 500);
      const { outcome, stdout, stderr } = await ask(mux, cat, input);
      const isFine = outcome.kind === 'exited' && outcome.status === 0 && `${stdout}` === input;
      if (!isFine) wrong.push({ outcome, stderr: `${stderr}`, length: stdout.length });
      made += 1;
      // Calls that end at once must not starve the event loop.
      await setImmediate();
    }
  };
  onTestFinished(() => {
    going = false;
  });
  const callers = Promise.all(Array.from({ length: 4 }, callRepeatedly));
  return {
    /** Resolves when `count` more calls have ended. */
    more: async (count: number): Promise<void> => {
      const enough = made + count;
      await expect.poll(() => made).toBeGreaterThanOrEqual(enough);
    },
    stop: async () => {
      going = false;
      await callers;
      return wrong;
    },
  };
};

/**
 * Resolves when a call is refused because the relay stops. That takes a second, since a refused call tries
 * to find another route for so long.
 */
const untilRefused = async (mux: Mux): Promise<void> => {
  const outcome = async () => (await ask(mux, cat)).outcome;
  const refused = { refusal: { code: 'unreachable' } };
  await expect.poll(outcome).toMatchObject(refused);
};

test('new calls go direct once a link is up, running ones end over the relay, and none fails when it stops', async () => {
  const host = await startHost();
  const { relay, sa, client } = await makeThree(host);
  await startLinked(relay, sa, client);
  const mux = await linkTo(client);
  const calls = startCalling(mux);
  await calls.more(20);
  const running = mux.open(cat);
  running.stdin.write('begun by way of the relay, ');
  const said = once(running.stdout, 'data');
  expect(`${await said}`).toBe('begun by way of the relay, ');
  const linkUp = /"peer":"sa-vm".*the link is up/;
  expect(client.log()).not.toMatch(linkUp);

  sa.reload({ ...relayed, serve: ['workload-vm'] });
  await peersBecome(client, 'direct', routeTo('sa-vm', 'direct'));
  await expect.poll(() => client.log()).toMatch(linkUp);
  // The relay keeps the call that it began, although the client has dropped it from its configuration.
  client.reload({ connect: ['sa-vm'] });
  await peersBecome(relay, 'the relay has one relayed call', (document) => document.relayed === 1);
  await calls.more(20);
  running.stdin.end('ended by it');
  expect(`${await once(running.stdout, 'data')}`).toBe('ended by it');
  running.stdout.resume();
  expect(await running.outcome).toEqual({ kind: 'exited', status: 0 });
  await peersBecome(relay, 'the relay has no relayed call', (document) => document.relayed === 0);

  await peersBecome(client, 'the client has one peer', ({ peers }) => peers.length === 1);
  await relay.signal('SIGTERM');
  await calls.more(20);
  expect((await client.vifwatch(['peers'])).status).toBe(0);
  expect(await calls.stop()).toEqual([]);
  expect(sa.log()).toMatch(/"from":"workload-vm","domid":\d+,"service":"cat","verdict":"allow"/);
});

test('a relay that stops while calls run finishes them, and the calls that it refuses go direct', async () => {
  const host = await startHost();
  const { relay, sa, client } = await makeThree(host);
  await startLinked(relay, sa, client);
  const calls = startCalling(await linkTo(client));
  await calls.more(20);
  sa.reload({ ...relayed, serve: ['workload-vm'] });
  await relay.signal('SIGTERM');
  await calls.more(20);
  expect(await calls.stop()).toEqual([]);
});

test("a relay that stops still delivers a target's whole output to a slow source", async () => {
  const host = await startHost();
  const out = '#!/bin/sh\nexec head -c 60000 /dev/zero\n';
  const { relay, sa, client } = await makeThree(host, { services: { ...services, out } });
  await startLinked(relay, sa, client);
  const mux = await linkTo(client);
  const call = mux.open({ ...cat, service: 'out' });
  // The call has ended at the target. The source does not read yet, so the relay still holds much output.
  await expect.poll(() => sa.log()).toMatch(/"service":"out".*"ended"/);
  const stopped = relay.signal('SIGTERM');
  await untilRefused(mux);
  expect(await buffer(call.stdout)).toHaveLength(60_000);
  call.stderr.resume();
  expect(await call.outcome).toEqual({ kind: 'exited', status: 0 });
  await stopped;
});

test('a relay that gets SIGTERM twice still removes its xenstore nodes', async () => {
  const host = await startHost();
  const { relay, sa, client } = await makeThree(host);
  await startLinked(relay, sa, client);
  const mux = await linkTo(client);
  const running = mux.open({ ...cat, service: 'pid' });
  await once(running.stdout, 'data');
  process.kill(relay.pid(), 'SIGTERM');
  await untilRefused(mux);
  const ended = relay.signal('SIGTERM');
  running.cancel();
  await ended;
  expect(relay.log()).toContain('stopping: ending all calls');
  expect(await host.dom0.list(`/local/domain/${relay.domid}/data/vifwatch`)).toEqual([]);
});

test('calls over a relay that is killed fail, and new ones go direct', async () => {
  const host = await startHost();
  const { relay, sa, client } = await makeThree(host);
  await startLinked(relay, sa, client);
  const mux = await linkTo(client);
  const running = Array.from({ length: 5 }, () => mux.open({ ...cat, service: 'pid' }));
  await Promise.all(running.map(({ stdout }) => once(stdout, 'data')));
  await relay.signal('SIGKILL');
  for (const { outcome, stderr } of running) {
    expect(`${await once(stderr, 'data')}`).toContain('the link was lost');
    expect(await outcome).toEqual({ kind: 'exited', status: 125 });
  }
  // The target has cancelled them, too.
  await expect.poll(() => sa.log().match(/"service":"pid".*"cancelled":true/g)?.length).toBe(5);
  // There is no route now: the call takes the first route that comes up.
  const waiting = ask(mux, cat, 'waits');
  sa.reload({ ...relayed, serve: ['workload-vm'] });
  expect(`${(await waiting).stdout}`).toBe('waits');
  expect((await ask(mux, cat, 'new')).outcome).toEqual({ kind: 'exited', status: 0 });

  await relay.start();
  await peerIs(client, 'mgmt-vm', 'up');
  // When the direct link is gone and the relay is back, calls go over the relay again.
  sa.reload(relayed);
  await peersBecome(client, 'the route is the relay', routeTo('sa-vm', 'relay'));
  expect(`${(await ask(mux, cat, 'again')).stdout}`).toBe('again');
});

test("an invalid agent.toml keeps the previous configuration, and the log names the error's place", async () => {
  const host = await startHost();
  const { relay, sa, client } = await makeThree(host);
  await startLinked(relay, sa, client);
  const mux = await linkTo(client);
  writeFileSync(`${client.etc}/agent.toml`, 'connect = []\nrelay = "a b"\n');
  process.kill(client.pid(), 'SIGHUP');
  await expect
    .poll(() => client.log())
    .toMatch(/"CONFIG_INVALID".*agent\.toml:2:1: relay: not a valid VM name/);
  expect((await ask(mux, cat)).outcome).toEqual({ kind: 'exited', status: 0 });

  // The agent closes a link that the configuration lists no longer, and the calls over it end.
  client.reload({ ...relayed, connect: ['mgmt-vm', 'sa-vm'] });
  sa.reload({ ...relayed, serve: ['workload-vm'] });
  await peersBecome(client, 'direct', routeTo('sa-vm', 'direct'));
  const open = mux.open(cat);
  open.stdin.write('x');
  await once(open.stdout, 'data');
  client.reload(relayed);
  expect(await open.outcome).toEqual({ kind: 'exited', status: 125 });
  await expect.poll(() => client.log()).toContain('the configuration no longer lists the link');
  expect((await ask(mux, cat)).outcome).toEqual({ kind: 'exited', status: 0 });
});
