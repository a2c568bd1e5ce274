/** The audit's findings about a VM's call policy and its links, one sabotage at a time. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { agentSocket } from '../../../src/ipc/agent/agent-socket.ts';
import { loadPolicy } from '../../../src/ipc/config/load-policy.ts';
import { canonicalText } from '../../../src/ipc/policy/policy-hash.ts';
import { openMux } from '../../../src/ipc/protocol/mux.ts';
import { listen } from '../../../src/system/listening-socket.ts';
import { makePair, makeVm, peerIs, startHost } from '../../ipc/agent/vms.ts';
import { findingsOf, type Place, plainPlace } from './vms.ts';

const links = 'ipc_serve=workload-vm';

const hashOf = async (etc: string): Promise<string> => {
  const { rules } = await loadPolicy(`${etc}/policy.d`);
  const lines = rules.map((rule) => `${canonicalText(rule)}\n`).join('');
  return createHash('sha256').update(lines).digest('hex').slice(0, 32);
};

/** Starts two VMs with a link; `codes` audits the VM that serves. */
const startPair = async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  await Promise.all([server.start(), client.start()]);
  await peerIs(server, 'workload-vm', 'up');
  const codes = async (commandLine: string): Promise<readonly string[]> =>
    (await findingsOf(host, server, commandLine)).map(({ code, what }) => `${code}: ${what}`);
  return { host, server, client, codes, pinned: `ipc_policy=${await hashOf(server.etc)}` };
};

test('a VM with the expected policy and links has no findings, and the audit ignores other kernel parameters', async () => {
  const { host, client, codes, pinned } = await startPair();
  expect(await codes(`${links} ipc_relay=sa-vm ${pinned} ipc_other=1 quiet`)).toEqual([]);
  expect(await findingsOf(host, client, 'ipc_connect=sa-vm')).toEqual([]);
});

test('a policy with another hash than the kernel parameter names is POLICY_DIFFERS', async () => {
  const { server, codes, pinned } = await startPair();
  const file = `${server.etc}/policy.d/50-test.policy`;
  expect(await codes(links)).toEqual([expect.stringMatching(/^POLICY_UNPINNED: /)]);
  expect(await codes('')).toEqual([]);
  writeFileSync(file, '# a comment counts for nothing\n*  *  workload-vm  sa-vm  allow\n');
  expect(await codes(`${links} ${pinned}`)).toEqual([]);
  expect(await codes(`${links} ${pinned} ipc_policy=0`)).toEqual([
    expect.stringMatching(/^POLICY_DIFFERS: the policy here is [0-9a-f]{32}, .*ipc_policy=0$/),
  ]);
  writeFileSync(file, '* * @anyvm sa-vm allow\n');
  expect(await codes(`${links} ${pinned}`)).toEqual([
    expect.stringMatching(/^POLICY_DIFFERS: the policy here is [0-9a-f]{32}, but dom0 says /),
  ]);
  writeFileSync(file, '* * sa-vm\n');
  expect(await codes(`${links} ${pinned}`)).toEqual([
    expect.stringMatching(/^POLICY_INVALID: .*50-test\.policy:1:1: fields are missing: a rule is /),
  ]);
  rmSync(`${server.etc}/policy.d`, { recursive: true });
  expect(await codes(`${links} ${pinned}`)).toEqual([
    expect.stringMatching(/^POLICY_DIFFERS: ".*policy\.d" does not exist/),
  ]);
});

test('a link that is down or unknown to the agent is LINK_DOWN, and a missing agent is AGENT_ABSENT', async () => {
  const { server, client, codes, pinned } = await startPair();
  await client.signal('SIGTERM');
  await peerIs(server, 'workload-vm', 'waiting');
  expect(await codes(`${links} ipc_connect=mgmt-vm ${pinned}`)).toEqual([
    'LINK_DOWN: the link with "workload-vm" is not up: waiting',
    'LINK_DOWN: the link with "mgmt-vm" is not up: the agent does not know this peer; restart the agent',
  ]);
  await server.signal('SIGTERM');
  expect(await codes(`${links} ${pinned}`)).toEqual([
    expect.stringMatching(/^AGENT_ABSENT: .*cannot reach the agent: .*agent\.sock/),
  ]);
});

test('a VM without link parameters needs no agent, and a VM with any, even a bad one, does', async () => {
  const host = await startHost();
  const place = plainPlace(host, await host.create({ name: 'sa-vm' }));
  const codes = async (commandLine: string) =>
    (await findingsOf(host, place, commandLine)).map(({ code }) => code);
  expect(await codes('')).toEqual([]);
  expect(await codes('ipc_relay=net-vm')).toEqual(['AGENT_ABSENT']);
  expect(await codes('ipc_connect=../x')).toEqual(['AGENT_ABSENT']);
});

test('the link with a relay that only agent.toml names is LINK_DOWN or, without an agent, AGENT_ABSENT', async () => {
  const host = await startHost();
  const agent = await makeVm(host, 'workload-vm', { relay: 'mgmt-vm' });
  const found = async (): Promise<readonly string[]> =>
    (await findingsOf(host, agent)).map(({ code, what }) => `${code}: ${what}`);
  expect(await found()).toEqual([expect.stringMatching(/^AGENT_ABSENT: /)]);
  await agent.start();
  await peerIs(agent, 'mgmt-vm', 'unknown');
  expect(await found()).toEqual(['LINK_DOWN: the link with "mgmt-vm" is not up: unknown']);
});

/** Starts a server on the agent's socket that gives this answer to every call. */
const standIn = async ({ runtime }: Place, answer: string): Promise<void> => {
  mkdirSync(runtime, { recursive: true });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    openMux(socket, {
      role: 'server',
      name: 'x',
      onCall: (call) => {
        call.stdout.end(answer);
        call.exit(0);
      },
    });
  });
  await listen(server, agentSocket(runtime));
  onTestFinished(() => void server.close());
};

test.each([
  [
    JSON.stringify({
      peers: [{ name: 'a\nb', domid: 0, role: 'client', state: 'up', trouble: null }],
    }),
    'LINK_DOM0: the agent has a link with dom0, under the name "a\\u{a}b"',
  ],
  ['{"peers": 1}', 'AGENT_ABSENT: this VM should have links, but no agent answers: Invalid type'],
  ['\x1b[2J', 'AGENT_ABSENT: this VM should have links, but no agent answers: Unexpected token'],
])('the agent answers %j, and the audit reports it', async (answer, finding) => {
  const host = await startHost();
  const place = plainPlace(host, await host.create({ name: 'sa-vm' }));
  await standIn(place, answer);
  const [found, ...others] = await findingsOf(host, place, 'ipc_serve=*');
  expect(`${found?.code}: ${found?.what}`.startsWith(finding)).toBe(true);
  expect(others).toEqual([]);
});
