/** Calls from one VM to another, as the user of `vifwatch call` sees them. */
import { expect, test } from 'vitest';
import { makePair, makeVm, startHost } from './vms.ts';

test('a call passes stdin, stdout, stderr and the exit status', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  await Promise.all([server.start(), client.start()]);

  const hello = await client.vifwatch(['call', 'sa-vm', 'hello+key1']);
  expect(hello.stdout.toString()).toBe('hello workload-vm, you said key1\n');
  expect(hello.stderr).toBe('and this is stderr\n');
  expect(hello.status).toBe(7);
  expect(client.log()).toMatch(/"uid":0,.*"to":"sa-vm","service":"hello","argument":"key1"/);

  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index * 7));
  const cat = await client.vifwatch(['call', 'sa-vm', 'cat'], bytes);
  expect(Buffer.compare(cat.stdout, bytes)).toBe(0);
  expect(cat.status).toBe(0);

  const missing = await client.vifwatch(['call', 'sa-vm', 'nothing']);
  expect(missing.status).toBe(127);

  const program = await client.vifwatch([
    'call',
    'sa-vm',
    'cat',
    '--',
    '/bin/sh',
    '-c',
    'echo ping; exec >&-; cat >&2',
  ]);
  expect(program.stderr).toBe('ping\n');
  expect(program.status).toBe(0);

  // The receiver must not take truncated output for complete output.
  const killed = await client.vifwatch([
    'call',
    'sa-vm',
    'cat',
    '--',
    '/bin/sh',
    '-c',
    'kill -9 $$',
  ]);
  expect(killed.status).toBe(125);
  expect(killed.stderr).toContain('was killed by SIGKILL');

  const late = await client.vifwatch(['call', '--timeout', '0.3', 'sa-vm', 'pid']);
  expect(late.status).toBe(125);
  expect(late.stderr).toContain('sa-vm has not ended the call within 0.3 s: cancelled');
});

test('a denied caller cannot tell whether the service exists', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host, {
    policy: ['cat * mgmt-vm @anyvm allow', 'hello +secret workload-vm sa-vm deny'],
  });
  await Promise.all([server.start(), client.start()]);
  const outcomes = [];
  for (const service of ['cat', 'nothing', 'hello+secret']) {
    const { status, stdout, stderr } = await client.vifwatch(['call', 'sa-vm', service]);
    outcomes.push({ status, stdout: stdout.toString(), stderr });
  }
  expect(outcomes[0]?.status).toBe(126);
  expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
  expect(server.log()).toContain('50-test.policy:2');
});

test('a call to an unknown VM, or without an agent, fails with the reason', async () => {
  const host = await startHost();
  const client = await makeVm(host, 'workload-vm', {});
  await client.start();
  const unknown = await client.vifwatch(['call', 'no-vm', 'cat']);
  expect(unknown.status).toBe(125);
  expect(unknown.stderr).toContain('VM no-vm is not in /ipc/domain-map');
  await client.signal('SIGTERM');
  const nobody = await client.vifwatch(['call', 'no-vm', 'cat']);
  expect(nobody.status).toBe(125);
  expect(nobody.stderr).toContain('is the agent running?');
});
