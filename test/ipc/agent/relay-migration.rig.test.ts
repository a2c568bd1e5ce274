/** From relay to direct links with calls running all the time. */
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

/** Calls without a pause, some at a time, until told to stop: those that went wrong, and how many there were. */
const startCalling = (mux: Mux) => {
  const wrong: unknown[] = [];
  let made = 0;
  let going = true;
  const lane = async (): Promise<void> => {
    while (going) {
      const input = `call ${made}`.repeat(made % 500);
      const { outcome, stdout, stderr } = await ask(mux, cat, input);
      const isFine = outcome.kind === 'exited' && outcome.status === 0 && `${stdout}` === input;
      if (!isFine) wrong.push({ outcome, stderr: `${stderr}`, length: stdout.length });
      made += 1;
      // Calls that end at once must not keep all else waiting.
      await setImmediate();
    }
  };
  onTestFinished(() => {
    going = false;
  });
  const lanes = Promise.all(Array.from({ length: 4 }, lane));
  return {
    /** Resolves when that many more have ended. */
    more: async (count: number): Promise<void> => {
      const enough = made + count;
      await expect.poll(() => made).toBeGreaterThanOrEqual(enough);
    },
    stop: async () => {
      going = false;
      await lanes;
      return wrong;
    },
  };
};

/** Resolves a second after the relay was told to stop: for so long a refused call looks for another way. */
const untilRefused = async (mux: Mux): Promise<void> => {
  const outcome = async () => (await ask(mux, cat)).outcome;
  const refused = { refusal: { code: 'unreachable' } };
  await expect.poll(outcome).toMatchObject(refused);
};

test('new calls go direct once they can, running ones end, and nothing fails without the relay', async () => {
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
  expect(client.log()).toMatch(linkUp);
  // Only the one that was begun before is left to it, even if it is the relay no longer.
  client.reload({ connect: ['sa-vm'] });
  await peersBecome(relay, 'one relayed call', (document) => document.relayed === 1);
  await calls.more(20);
  running.stdin.end('ended by it');
  expect(`${await once(running.stdout, 'data')}`).toBe('ended by it');
  running.stdout.resume();
  expect(await running.outcome).toEqual({ kind: 'exited', status: 0 });
  await peersBecome(relay, 'no relayed call', (document) => document.relayed === 0);

  await peersBecome(client, 'one peer', ({ peers }) => peers.length === 1);
  await relay.signal('SIGTERM');
  await calls.more(20);
  expect((await client.vifwatch(['peers'])).status).toBe(0);
  expect(await calls.stop()).toEqual([]);
  expect(sa.log()).toMatch(/"from":"workload-vm","domid":\d+,"service":"cat","verdict":"allow"/);
});

test('a relay that is stopped too early ends what it has begun, and what it refuses goes direct', async () => {
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

test('a relay that stops says all that a target has said to a source that is slow', async () => {
  const host = await startHost();
  const out = '#!/bin/sh\nexec head -c 60000 /dev/zero\n';
  const { relay, sa, client } = await makeThree(host, { services: { ...services, out } });
  await startLinked(relay, sa, client);
  const mux = await linkTo(client);
  const call = mux.open({ ...cat, service: 'out' });
  // For the target it is over; as nobody reads, much of it is still with the relay.
  await expect.poll(() => sa.log()).toMatch(/"service":"out".*"ended"/);
  const stopped = relay.signal('SIGTERM');
  await untilRefused(mux);
  expect(await buffer(call.stdout)).toHaveLength(60_000);
  call.stderr.resume();
  expect(await call.outcome).toEqual({ kind: 'exited', status: 0 });
  await stopped;
});

test('a relay that is told twice to stop still leaves nothing behind', async () => {
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
  expect(relay.log()).toContain('stopping: all calls end');
  expect(await host.dom0.list(`/local/domain/${relay.domid}/data/vifwatch`)).toEqual([]);
});

test('calls by way of a relay that dies are lost, and new ones go direct', async () => {
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
  // At the target nothing is left of them.
  await expect.poll(() => sa.log().match(/"service":"pid".*"cancelled":true/g)?.length).toBe(5);
  // Neither way is there now: the call takes the one that comes first.
  const waiting = ask(mux, cat, 'waits');
  sa.reload({ ...relayed, serve: ['workload-vm'] });
  expect(`${(await waiting).stdout}`).toBe('waits');
  expect((await ask(mux, cat, 'new')).outcome).toEqual({ kind: 'exited', status: 0 });

  await relay.start();
  await peerIs(client, 'mgmt-vm', 'up');
  // Without its link, and with the relay back, it goes that way again.
  sa.reload(relayed);
  await peersBecome(client, 'by way of the relay', routeTo('sa-vm', 'relay'));
  expect(`${(await ask(mux, cat, 'again')).stdout}`).toBe('again');
});

test('a bad agent.toml changes nothing, and the log says where it is bad', async () => {
  const host = await startHost();
  const { relay, sa, client } = await makeThree(host);
  await startLinked(relay, sa, client);
  const mux = await linkTo(client);
  writeFileSync(`${client.etc}/agent.toml`, 'connect = []\nrelay = "a b"\n');
  process.kill(client.pid(), 'SIGHUP');
  await expect
    .poll(() => client.log())
    .toMatch(/"CONFIG_INVALID".*agent\.toml:2:1: relay: not the/);
  expect((await ask(mux, cat)).outcome).toEqual({ kind: 'exited', status: 0 });

  // What is no longer listed is closed, with the calls over it.
  client.reload({ ...relayed, connect: ['mgmt-vm', 'sa-vm'] });
  sa.reload({ ...relayed, serve: ['workload-vm'] });
  await peersBecome(client, 'direct', routeTo('sa-vm', 'direct'));
  const open = mux.open(cat);
  open.stdin.write('x');
  await once(open.stdout, 'data');
  client.reload(relayed);
  expect(await open.outcome).toEqual({ kind: 'exited', status: 125 });
  await expect.poll(() => client.log()).toContain('the configuration does not list the link any');
  expect((await ask(mux, cat)).outcome).toEqual({ kind: 'exited', status: 0 });
});
