/** Agents that speak version 1 of the protocol, which has no relays, work with newer agents. */
import { rm } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { bundleProgram } from '../vchan/ends.ts';
import { allowAll, startLinked } from './relay-vms.ts';
import { makeVm, peerIs, services, startHost } from './vms.ts';

let program: string;
beforeAll(async () => {
  program = await bundleProgram(new URL('child/version-one.ts', import.meta.url));
});
afterAll(() => rm(program));

/** Runs a version-1 agent in `domid`, linked with `server`'s agent; the result gives its output so far. */
const startOld = (host: SimHost, domid: number, server: number): (() => string) => {
  let said = '';
  const old = execa(process.execPath, [program, `${server}`], {
    env: host.sim.env({ domid, hypercalls: true }),
    reject: false,
    buffer: false,
  });
  old.stdout.on('data', (chunk) => {
    said += `${chunk}`;
  });
  onTestFinished(async () => {
    old.kill('SIGKILL');
    await old;
  });
  return () => said;
};

test('an old agent calls and is called over its link, but not over a relay', async () => {
  const host = await startHost();
  const old = await host.create({ name: 'old-vm' });
  const relay = await makeVm(host, 'mgmt-vm', {
    serve: ['*'],
    relay: 'mgmt-vm',
    policy: allowAll,
    services,
  });
  const client = await makeVm(host, 'workload-vm', { connect: ['mgmt-vm'], relay: 'mgmt-vm' });
  await startLinked(relay, client);
  const said = startOld(host, old, relay.domid);
  await peerIs(relay, 'old-vm', 'up');
  await expect.poll(said).toBe('stdout of old\nexit 0\n');

  expect((await relay.vifwatch(['call', 'old-vm', 'any+x'])).status).toBe(42);
  const { status, stderr } = await client.vifwatch(['call', 'old-vm', 'any']);
  expect(status).toBe(125);
  expect(stderr).toContain('over relay mgmt-vm: its agent is too old');
  // The refused call sent nothing to the old agent, and the link still works.
  expect((await relay.vifwatch(['call', 'old-vm', 'any'])).status).toBe(42);
  await expect
    .poll(said)
    .toMatch(/exit 0\ncalled "\\u0000\\u0003any\\u0001x"\ncalled "[^"]*any[^"]*"\n$/);
});

test('an old agent is not used as a relay, since it would take a relayed call for a call to itself', async () => {
  const host = await startHost();
  const old = await host.create({ name: 'old-vm' });
  const client = await makeVm(host, 'workload-vm', {
    serve: ['old-vm'],
    relay: 'old-vm',
    policy: allowAll,
    services,
  });
  await client.start();
  const said = startOld(host, old, client.domid);
  await peerIs(client, 'old-vm', 'up');
  const { status, stderr } = await client.vifwatch(['call', 'no-vm', 'any']);
  expect(status).toBe(125);
  expect(stderr).toContain('VM no-vm is not in /ipc/domain-map; the agent of old-vm is too old');
  // The old agent takes calls to itself, and this is the first call that reaches it.
  expect((await client.vifwatch(['call', 'old-vm', 'any'])).status).toBe(42);
  await expect.poll(said).toMatch(/exit 0\ncalled "[^"]*any[^"]*"\n$/);
});
