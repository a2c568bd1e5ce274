/** A reload closes and opens links while calls go on. */
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Mux } from '../../../src/ipc/protocol/mux.ts';
import type { Agent } from '../../rig/sim/agent.ts';
import { ask, linkTo, makePair, peerIs, startHost } from './vms.ts';

const cat = { target: 'sa-vm', service: 'cat', argument: '' };

const startPair = async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  await Promise.all([server.start(), client.start()]);
  await peerIs(client, 'sa-vm', 'up');
  return { server, client, mux: await linkTo(client) };
};

/** Replaces the file by a rename, since the previous reload may still be reading it. */
const replaceConfig = (agent: Agent, text: string): void => {
  writeFileSync(`${agent.etc}/agent.toml.new`, text);
  renameSync(`${agent.etc}/agent.toml.new`, `${agent.etc}/agent.toml`);
  process.kill(agent.pid(), 'SIGHUP');
};

/** Calls `close`, and resolves when that has closed the link: a call over it ends with status 125. */
const untilClosed = async (mux: Mux, close: () => void): Promise<void> => {
  const running = mux.open(cat);
  running.stdin.write('x');
  await once(running.stdout, 'data');
  close();
  expect(await running.outcome).toEqual({ kind: 'exited', status: 125 });
};

test('a call right after the link was closed opens a new link', async () => {
  const { client, mux } = await startPair();
  for (let round = 0; round < 5; round += 1) {
    await untilClosed(mux, () => client.reload({}));
    expect((await ask(mux, cat, 'unlisted')).outcome).toEqual({ kind: 'exited', status: 0 });
    client.reload({ connect: ['sa-vm'] });
    expect((await ask(mux, cat, 'listed')).outcome).toEqual({ kind: 'exited', status: 0 });
    await expect
      .poll(() => client.log().match(/the configuration is in force/g)?.length)
      .toBe(2 * round + 2);
  }
});

test('server and client of a link swap their roles in one reload', async () => {
  const { server, client, mux } = await startPair();
  const swap = (first: Agent, second: Agent, names: readonly [string, string]): void => {
    first.reload({ serve: [names[1]] });
    second.reload({ connect: [names[0]] });
  };
  await untilClosed(mux, () => swap(client, server, ['workload-vm', 'sa-vm']));
  expect((await ask(mux, cat, 'swapped')).outcome).toEqual({ kind: 'exited', status: 0 });
  await untilClosed(mux, () => swap(server, client, ['sa-vm', 'workload-vm']));
  expect((await ask(mux, cat, 'back')).outcome).toEqual({ kind: 'exited', status: 0 });
});

test('a call that waits for a link takes the link that a reload makes possible', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host, { serve: [], connect: ['workload-vm'] });
  await client.start();
  const mux = await linkTo(client);
  const waiting = ask(mux, cat, 'waits');
  await expect.poll(() => client.log()).toMatch(/"to":"sa-vm","service":"cat".*a program calls/);
  client.reload({ serve: ['sa-vm'] });
  await server.start();
  expect(`${(await waiting).stdout}`).toBe('waits');
});

test('30 reloads in a row end no call, and the last configuration is in force', async () => {
  const { client, mux } = await startPair();
  const running = mux.open(cat);
  running.stdin.write('begun, ');
  await once(running.stdout, 'data');
  for (let round = 0; round < 30; round += 1) {
    replaceConfig(client, `connect = ["sa-vm", "vm${round}"]\n`);
    const { outcome, stderr } = await ask(mux, cat, `${round}`);
    expect({ outcome, stderr: `${stderr}` }).toEqual({
      outcome: { kind: 'exited', status: 0 },
      stderr: '',
    });
  }
  await peerIs(client, 'vm29', 'unknown');
  await peerIs(client, 'vm28', undefined);
  running.stdin.end();
  running.stdout.resume();
  expect(await running.outcome).toEqual({ kind: 'exited', status: 0 });
});
