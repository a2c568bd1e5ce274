/** Agents of 0.1 and of this release call each other. */
import { beforeAll, describe, expect, test } from 'vitest';
import { allowAll, startLinked } from '../ipc/agent/relay-vms.ts';
import { makeVm, peerIs, peersBecome, services, startHost } from '../ipc/agent/vms.ts';
import { commandLine } from '../rig/process.ts';
import type { Agent } from '../rig/sim/agent.ts';
import { ownMain } from '../rig/sim/program.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { printFigures } from '../support/figures.ts';
import { releaseMain } from './release.ts';

let oldMain = '';
beforeAll(async () => {
  oldMain = await releaseMain('0.1.0');
});

const mainOf = (release: 'new' | '0.1'): string => (release === 'new' ? ownMain : oldMain);

const assertRuns = (agent: Agent, release: 'new' | '0.1'): void => {
  expect(commandLine(agent.pid())).toContain(mainOf(release));
};

/** More bytes than a window, without a repeated part. */
const data = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index * index));

/** Checks calls with arguments, input, errors, signals and a timeout. Resolves with the number of calls. */
const assertCalls = async (from: Agent, name: string, to: string): Promise<number> => {
  const hello = await from.vifwatch(['call', to, 'hello+key1']);
  expect(hello.stdout.toString()).toBe(`hello ${name}, you said key1\n`);
  expect(hello.stderr).toBe('and this is stderr\n');
  expect(hello.status).toBe(7);
  const cat = await from.vifwatch(['call', to, 'cat'], data);
  expect(Buffer.compare(cat.stdout, data)).toBe(0);
  expect(cat.status).toBe(0);
  expect((await from.vifwatch(['call', to, 'killed'])).status).toBe(128 + 9);
  expect((await from.vifwatch(['call', to, 'nothing'])).status).toBe(127);
  expect((await from.vifwatch(['call', to, 'secret'])).status).toBe(126);
  const late = await from.vifwatch(['call', '--timeout', '0.3', to, 'slow']);
  expect(late.status).toBe(125);
  expect(late.stderr).toContain('cancelled');
  return 6;
};

const shared = {
  policy: ['secret * @anyvm @anyvm deny', ...allowAll],
  services: {
    ...services,
    killed: '#!/bin/sh\nkill -9 $$\n',
    slow: '#!/bin/sh\nexec sleep 3\n',
    secret: '#!/bin/sh\n',
  },
};

const pairs = [
  ['0.1', 'new'],
  ['new', '0.1'],
] as const;

/** A VM that relays the calls of all others. */
const makeRelay = (host: SimHost, main: string): Promise<Agent> =>
  makeVm(host, 'mgmt-vm', { main, serve: ['*'], relay: 'mgmt-vm', policy: allowAll });

describe.each(pairs)('%s and %s', (first, second) => {
  test(`${first} serves the link, ${second} connects: calls pass in both directions`, async () => {
    const host = await startHost();
    const server = await makeVm(host, 'sa-vm', {
      main: mainOf(first),
      serve: ['workload-vm'],
      ...shared,
    });
    const client = await makeVm(host, 'workload-vm', {
      main: mainOf(second),
      connect: ['sa-vm'],
      ...shared,
    });
    await Promise.all([server.start(), client.start()]);
    await peerIs(client, 'sa-vm', 'up');
    assertRuns(server, first);
    assertRuns(client, second);
    const calls = [
      await assertCalls(client, 'workload-vm', 'sa-vm'),
      await assertCalls(server, 'sa-vm', 'workload-vm'),
    ];

    // The operator upgrades the server to the client's release: the link comes up again by itself.
    await server.signal('SIGTERM');
    await server.start(mainOf(second));
    await peersBecome(client, 'the link is up again', ({ peers }) =>
      peers.some(
        ({ name, state, reconnects }) => name === 'sa-vm' && state === 'up' && reconnects > 0,
      ),
    );
    assertRuns(server, second);
    calls.push(await assertCalls(client, 'workload-vm', 'sa-vm'));
    printFigures({ calls: calls.reduce((sum, made) => sum + made), bytesEach: data.length });
  });

  test(`${first} calls ${first} through a relay of ${second}`, async () => {
    const host = await startHost();
    const relay = await makeRelay(host, mainOf(second));
    const end = { main: mainOf(first), connect: ['mgmt-vm'], relay: 'mgmt-vm', ...shared };
    const target = await makeVm(host, 'sa-vm', end);
    const client = await makeVm(host, 'workload-vm', end);
    await startLinked(relay, target, client);
    assertRuns(relay, second);
    assertRuns(client, first);
    const calls = await assertCalls(client, 'workload-vm', 'sa-vm');
    printFigures({ calls, bytesEach: data.length });
  });

  test(`${first} calls ${second} through a relay of ${second}`, async () => {
    const host = await startHost();
    const relay = await makeRelay(host, mainOf(second));
    const end = { connect: ['mgmt-vm'], relay: 'mgmt-vm', ...shared };
    const target = await makeVm(host, 'sa-vm', { main: mainOf(second), ...end });
    const client = await makeVm(host, 'workload-vm', { main: mainOf(first), ...end });
    await startLinked(relay, target, client);
    assertRuns(relay, second);
    assertRuns(client, first);
    const calls = [
      await assertCalls(client, 'workload-vm', 'sa-vm'),
      await assertCalls(target, 'sa-vm', 'workload-vm'),
    ];
    printFigures({ calls: calls.reduce((sum, made) => sum + made), bytesEach: data.length });
  });
});
