/** The agents' interfaces: JSON documents, xenstore nodes, exit statuses of calls, and audits. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, test } from 'vitest';
import { runAudit } from '../host/audit/vms.ts';
import { type Agent, type AgentSpec, makeAgent } from '../rig/sim/agent.ts';
import { type SimHost, startSimHost } from '../rig/sim/sim-host.ts';
import { until } from '../support/until.ts';
import { expectGolden, jsonLines } from './golden.ts';
import { nodesBelow } from './nodes.ts';

let host: SimHost;
let server: Agent;
let client: Agent;
/** The server of a resident service. */
const listening = createServer((socket) => socket.on('error', () => {}).end());

const services = {
  cat: '#!/bin/sh\nexec cat\n',
  seven: '#!/bin/sh\nexit 7\n',
  killed: '#!/bin/sh\nkill -9 $$\n',
  endless: '#!/bin/sh\nexec sleep 1000\n',
  broken: '#!/nonexistent\n',
  wrong: '#!/bin/sh\nexec cat\n',
  every: '#!/bin/sh\nexec cat\n',
};

/** Every key for an executable service. */
const everyKey = `user = "root"
max-runtime = 100
idle-timeout = 50.5
max-concurrent = 2
`;

/** Every key for a service that is a socket. */
const everyKeyOfSocket = `max-runtime = 100
idle-timeout = 50.5
max-concurrent = 2
exit-on-client-eof = true
exit-on-service-eof = true
skip-service-descriptor = true
`;

const makeVm = async (name: string, spec: AgentSpec): Promise<Agent> =>
  makeAgent(host, { name, domid: await host.create({ name }) }, spec);

type Peers = {
  readonly peers: readonly { readonly name: string; readonly rttMs: number | null }[];
};

const peersJson = async (agent: Agent): Promise<string> =>
  (await agent.vifwatch(['peers', '--json'])).stdout.toString();

beforeAll(async () => {
  host = await startSimHost({ store: 'xenstored' });
  server = await makeVm('sa-vm', {
    serve: ['workload-vm'],
    policy: ['secret * workload-vm sa-vm deny', '* * workload-vm sa-vm allow'],
    services,
    serviceConfigs: { every: everyKey, socket: everyKeyOfSocket, wrong: 'nonsense = 1\n' },
  });
  listening.listen(`${server.etc}/services/socket`);
  client = await makeVm('workload-vm', { connect: ['sa-vm', 'gone-vm'] });
  await Promise.all([server.start(), client.start()]);
  // The document shows the round trip once the first PING, 2 s after the start, is answered.
  await until('the link is up and has a round trip', async () => {
    const { peers } = JSON.parse(await peersJson(client)) as Peers;
    return peers.some(({ name, rttMs }) => name === 'sa-vm' && rttMs !== null);
  });
});
afterAll(async () => {
  listening.close();
  await host.close();
});

test('peers --json has this document: one link up and one down', async () =>
  expectGolden('peers', jsonLines(await peersJson(client))));

test('a link has these nodes in xenstore, with these permissions', async () => {
  const tops = [server, client].map(({ domid }) => `/local/domain/${domid}/data/vifwatch`);
  const nodes = await Promise.all(tops.map((top) => nodesBelow(host, top)));
  const lines = nodes.flatMap((found) => [...found].map(([path, shown]) => `${path} ${shown}`));
  await expectGolden('nodes-link', lines);
});

test('a call exits with the status of the service, or with a fixed status for each failure', async () => {
  const lines: string[] = [];
  /** The code in a message on stderr. */
  const codeOf = (stderr: string): string =>
    /^vifwatch: [\w-]+: ([a-z-]+): /m.exec(stderr)?.[1] ?? '-';
  const runs = async (when: string, agent: Agent, ...commands: readonly string[]) => {
    for (const command of commands) {
      const { status, stderr } = await agent.vifwatch(command.split(' '));
      lines.push(`${when}: ${status} ${codeOf(stderr)} vifwatch ${command}`);
    }
  };
  await runs(
    'linked',
    client,
    ...['call sa-vm cat', 'call sa-vm seven', 'call sa-vm killed', 'call sa-vm nothing'],
    ...[
      'call sa-vm secret',
      'call sa-vm broken',
      'call sa-vm wrong',
      'call sa-vm every',
      'call sa-vm socket',
      'call gone-vm cat',
    ],
    ...['call --timeout 0.5 sa-vm endless', 'call sa-vm cat -- /bin/true'],
    ...['call sa-vm cat -- /nonexistent', 'call sa-vm b*d', 'agent', 'peers', 'peers --json'],
  );
  await runs('all links up', server, 'peers');
  await server.signal('SIGTERM');
  await runs('the server has gone', client, 'call sa-vm cat');
  await runs('the server has gone', server, 'peers', 'peers --json', 'call sa-vm cat');
  await server.start();
  await expectGolden('exit-call', lines);
});

const place = () => ({
  domid: server.domid,
  etc: `${server.etc}/none`,
  runtime: `${server.runtime}/none`,
});

test('audit --json of a correct VM has this document', async () => {
  const { status, stdout } = await runAudit(host, place(), '', ['--json']);
  await expectGolden('audit-empty', [`exit status ${status}`, ...jsonLines(stdout)]);
});

test('audit --json of a bad VM has this document, with findings of several codes', async () => {
  const { domid, etc } = place();
  const { dom0 } = host;
  mkdirSync(`${etc}/policy.d`, { recursive: true });
  writeFileSync(`${etc}/policy.d/1.policy`, '* * * sa-vm allow\n');
  await dom0.write(
    `/local/domain/${domid}/device/vif/1/backend`,
    '/local/domain/0/backend/vif/3/1',
  );
  await dom0.write('/ipc/domain-map/old-vm', `${domid}`);
  await dom0.setPermissions('/ipc/domain-map', [
    { domid: 0, read: true, write: false },
    { domid, read: true, write: true },
  ]);
  const words = 'ipc_serve=a ipc_connect=b ipc_relay=c ipc_policy=0';
  const { status, stdout } = await runAudit(host, place(), words, ['--json']);
  await expectGolden('audit-findings', [`exit status ${status}`, ...jsonLines(stdout)]);
});
