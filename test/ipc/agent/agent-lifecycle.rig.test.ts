/** An agent starts, stops, and reports what is wrong in its VM. */
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { agentSocket } from '../../../src/ipc/agent/agent-socket.ts';
import { commandLine } from '../../rig/process.ts';
import { openBound } from '../../support/slowness.ts';
import { ask, linkTo, makePair, makeVm, peerIs, services, startHost } from './vms.ts';

const policy = ['* * workload-vm sa-vm allow'];
const cat = { target: 'sa-vm', service: 'cat', argument: '' };

test('a policy with a syntax error denies every call until corrected, and the log names its place', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host, { policy: ['* * workload-vm @anyvm allow'] });
  await Promise.all([server.start(), client.start()]);
  const mux = await linkTo(client);
  const outcome = async () => (await ask(mux, cat)).outcome;
  expect(await outcome()).toEqual({ kind: 'exited', status: 0 });

  const file = `${server.etc}/policy.d/60-more.policy`;
  writeFileSync(file, 'cat * workload-vm\n');
  await expect.poll(outcome).toMatchObject({ kind: 'refused', refusal: { code: 'denied' } });
  expect(server.log()).toContain('60-more.policy:1:');
  const checked = await server.vifwatch(['policy', 'check']);
  expect(checked.status).toBe(1);
  expect(`${checked.stdout}${checked.stderr}`).toContain('60-more.policy:1:');
  writeFileSync(file, '');
  await expect.poll(outcome).toEqual({ kind: 'exited', status: 0 });
});

test('an agent that stops ends its calls and kills their processes', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  await Promise.all([server.start(), client.start()]);
  const mux = await linkTo(client);
  const open = Array.from({ length: 10 }, () => mux.open({ ...cat, service: 'pid' }));
  const said = await Promise.all(open.map(({ stdout }) => once(stdout, 'data')));
  const commands = () => said.map(([pid]) => commandLine(Number(`${pid}`)));
  expect(commands()).toEqual(Array(10).fill(expect.stringMatching(/sleep|sh/)));
  await server.signal('SIGTERM');
  expect(commands()).toEqual(Array(10).fill(''));
  for (const { outcome } of open) expect(await outcome).toEqual({ kind: 'exited', status: 125 });
  expect(server.log().match(/"status":143.*"ended"/g)).toHaveLength(open.length);
});

test('agent check prints one line for each thing that the VM lacks, with the remedy', async () => {
  const host = await startHost();
  const vm = await makeVm(host, 'sa-vm', {
    serve: ['workload-vm'],
    relay: 'mgmt-vm',
    policy: ['* * *'],
  });
  const { status, stdout } = await vm.vifwatch(['agent', 'check']);
  expect(status).toBe(1);
  const lines = stdout.toString();
  expect(lines).toMatch(
    /^ok {4}config: serves workload-vm, connects to none, the relay is mgmt-vm$/m,
  );
  expect(lines).toMatch(/^FAIL {2}policy: 50-test\.policy:1:\d+: /m);
  expect(lines).toMatch(/^FAIL {2}\/dev\/xen\/gntalloc: .*modprobe xen-gntalloc/m);
  // The link with the relay needs gntdev.
  expect(lines).toMatch(/^FAIL {2}\/dev\/xen\/gntdev: .*modprobe xen-gntdev/m);
  expect(lines).toMatch(/^ok {4}xenstore: answers, this is domain 3$/m);
});

test('a VM that connects to a relay needs gntdev, and a relay does not', async () => {
  const host = await startHost();
  const needs = async (name: string, serve: readonly string[]): Promise<boolean> => {
    const vm = await makeVm(host, name, { serve, relay: 'mgmt-vm' });
    return `${(await vm.vifwatch(['agent', 'check'])).stdout}`.includes('gntdev');
  };
  expect(await needs('mgmt-vm', ['sa-vm'])).toBe(false);
  expect(await needs('sa-vm', ['*'])).toBe(true);
  expect(await needs('key-vm', ['mgmt-vm'])).toBe(false);
});

test('a VM runs one agent only, and only root and the configured group can open its socket', async () => {
  const host = await startHost();
  const vm = await makeVm(host, 'sa-vm', {});
  await vm.start();
  const { mode, uid, gid } = statSync(agentSocket(vm.runtime));
  expect({ mode: mode & 0o777, uid, gid }).toEqual({ mode: 0o660, uid: 0, gid: 0 });
  const second = await vm.vifwatch(['agent']);
  expect(second.status).toBe(1);
  expect(second.stdout.toString()).toContain('ALREADY_RUNNING');
  // The first agent keeps running undisturbed.
  expect((await vm.vifwatch(['peers'])).stdout.toString()).toBe('no peers\n');
  await vm.signal('SIGKILL');
  const peers = await vm.vifwatch(['peers']);
  expect(peers.status).toBe(69);
  writeFileSync(`${vm.etc}/agent.toml`, 'serve = ["a b"]\n');
  const wrong = await vm.vifwatch(['agent']);
  expect(wrong.status).toBe(78);
  expect(wrong.stdout.toString()).toContain('agent.toml:1:10: serve: not a valid VM name');
  writeFileSync(`${vm.etc}/agent.toml`, 'group = "daemon"\n');
  await vm.start();
  expect(statSync(agentSocket(vm.runtime)).gid).toBe(1);
});

test('a link with a domain that is created after the agent started comes up within the bound', async () => {
  const host = await startHost();
  const server = await makeVm(host, 'sa-vm', { serve: ['workload-vm'], policy, services });
  // dom0 writes the name too early: xenstored drops permissions for a domid that does not exist yet.
  await host.dom0.write('/ipc/domain-map/workload-vm', `${server.domid + 1}`);
  await server.start();
  await peerIs(server, 'workload-vm', 'waiting');
  const bound = await openBound(1_000);
  const client = await makeVm(host, 'workload-vm', { connect: ['sa-vm'] });
  expect(client.domid).toBe(server.domid + 1);
  await client.start();
  const from = performance.now();
  await peerIs(client, 'sa-vm', 'up');
  await bound.assertKept(performance.now() - from, 'a link with a domain that was created late');
});

test('an agent stops although a program stays connected to its socket', async () => {
  const host = await startHost();
  const vm = await makeVm(host, 'sa-vm', {});
  await vm.start();
  const mux = await linkTo(vm);
  await vm.signal('SIGTERM');
  expect(await mux.closed).toMatchObject({ kind: 'peer', code: 'shutdown' });
});
