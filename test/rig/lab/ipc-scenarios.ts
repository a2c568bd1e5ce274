import assert from 'node:assert/strict';
import { applicationVms } from './application-vms.ts';
import { must, type Run } from './command.ts';
import type { Stopwatch } from './facts.ts';
import {
  type Agents,
  type AgentVm,
  assertCall,
  assertCopies,
  install,
  installAll,
  linked,
  linkedAll,
  ready,
  unlinked,
} from './ipc-vms.ts';
import type { LabHost } from './lab-host.ts';
import { writeFileIn } from './processes.ts';

/**
 * Starts the agents so that workload-vm starts before its server sa-vm, and mgmt-vm after its server net-vm.
 */
const startAll = async (host: LabHost, stopwatch: Stopwatch): Promise<Agents> => {
  const agents = await installAll(host);
  const { sa, workload, mgmt, net } = agents;
  await Promise.all([workload.start(), net.start()]);
  await Promise.all([ready(workload), ready(net)]);
  await Promise.all([sa.start(), mgmt.start()]);
  stopwatch.note('ipc_link_up_s', await linked(sa, 'workload-vm'));
  await linkedAll(agents, 'sa', 'workload', 'mgmt', 'net');
  return agents;
};

const megabyte =
  'head -c 1000000 /dev/urandom >/tmp/it && vifwatch call net-vm copy </tmp/it | cmp - /tmp/it';

/** The caller gets the service's status and output; a VM that the policy does not name is refused. */
const callSigner = async ({ workload, mgmt }: Agents, stopwatch: Stopwatch): Promise<void> => {
  const call = ['sa-vm', 'sign+key1', 'order 66\n'] as const;
  const seconds = await assertCall(workload, call, {
    status: 7,
    stdout: 'order 66, signed with key1\n',
    stderr: 'for workload-vm\n',
  });
  stopwatch.note('ipc_call_s', seconds);
  const { status, stderr } = await mgmt.call(...call);
  assert.equal(status, 126, stderr);
  assert.match(stderr, /sa-vm: denied/);
};

/** Calls in every pair, in both directions. */
const callInEveryPair = async ({ sa, workload, mgmt, net }: Agents): Promise<void> => {
  await Promise.all([
    must(workload.run, ['nice', 'sh', '-c', megabyte]),
    assertCopies(mgmt, 'sa-vm'),
    assertCopies(sa, 'workload-vm'),
    assertCopies(net, 'mgmt-vm'),
  ]);
};

/** dom0 runs no Node program. */
const assertDom0HasNoAgent = async ({ inDom0 }: LabHost): Promise<void> => {
  const commands = (await must(inDom0, ['ps', '-o', 'comm'])).split('\n');
  assert.ok(commands.includes('xenstored'));
  assert.ok(!commands.includes('node'));
};

/** The clients of a killed server notice its end at once, and have their links again after its restart. */
const killServer = async (agents: Agents, stopwatch: Stopwatch): Promise<void> => {
  const { sa, workload, mgmt } = agents;
  await stopwatch.time('ipc_kill_noticed_s', async () => {
    await sa.kill();
    const ends = [unlinked(workload, 'sa-vm'), unlinked(mgmt, 'sa-vm')];
    for (const { by } of await Promise.all(ends)) assert.equal(by, 'transport');
  });
  await sa.start();
  stopwatch.note('ipc_restart_up_s', await linkedAll(agents, 'sa'));
  await linkedAll(agents, 'workload', 'mgmt');
};

const recreate = async (host: LabHost, vm: AgentVm): Promise<void> => {
  const spec = applicationVms.find(({ name }) => name === vm);
  if (spec !== undefined) await host.create(spec);
};

/**
 * One client is destroyed and recreated, another reboots: the links with their new domains come up by
 * themselves.
 */
const replaceClients = async (
  host: LabHost,
  before: Agents,
  stopwatch: Stopwatch,
): Promise<Agents> => {
  const { sa, net } = before;
  await stopwatch.time('ipc_destroy_noticed_s', async () => {
    const ends = [unlinked(sa, 'workload-vm'), unlinked(net, 'workload-vm')];
    const { status, stderr } = await host.destroy('workload-vm');
    assert.equal(status, 0, stderr);
    // The agents learn it from xenstore, long before their heartbeat fails.
    for (const { code } of await Promise.all(ends)) assert.notEqual(code, 'hung');
  });
  // xl lists a domain as "(null)" while another domain still maps its memory.
  assert.doesNotMatch(await must(host.inDom0, ['xl', 'list']), /null/);
  await Promise.all([recreate(host, 'workload-vm'), host.reboot('mgmt-vm')]);
  const [workload, mgmt] = await Promise.all([
    install(host, 'workload-vm'),
    install(host, 'mgmt-vm'),
  ]);
  const agents = { ...before, workload, mgmt };
  await Promise.all([workload.start(), mgmt.start()]);
  stopwatch.note('ipc_reboot_up_s', await linkedAll(agents, 'workload', 'mgmt'));
  return agents;
};

/** The first call makes a pair that neither a command line nor dom0 names. */
const callUnlisted = async (host: LabHost, { mgmt, workload }: Agents): Promise<void> => {
  await assertCopies(mgmt, 'workload-vm');
  const [domid] = (await must(workload.run, ['xenstore-read', 'domid'])).split('\n');
  assert.equal(await host.read(`/local/domain/${domid}/ipc`), undefined);
  const { peers } = JSON.parse(await must(mgmt.run, ['vifwatch', 'peers', '--json'])) as {
    readonly peers: readonly { readonly name: string; readonly state: string }[];
  };
  const states = peers.map(({ name, state }) => `${name} ${state}`).sort();
  assert.deepEqual(states, ['net-vm up', 'sa-vm up', 'workload-vm up']);
};

/** OpenRC in net-vm reports an agent that fails to start, and leaves no socket after a stop. */
export const agentServiceFailsLoudly = async ({ inVm }: LabHost): Promise<void> => {
  const inNetVm: Run = (argv) => inVm('net-vm', argv);
  const settings = '/etc/vifwatch/agent.toml';
  const socket = ['test', '-S', '/run/vifwatch/agent.sock'];
  const service = (verb: string) => inNetVm(['rc-service', '--nocolor', 'vifwatch-agent', verb]);
  await writeFileIn(inNetVm, settings, 'nonsense = 1\n');
  const { status, stderr } = await service('start');
  assert.notEqual(status, 0);
  assert.match(stderr, /vifwatch-agent died while it was starting/);
  assert.match(stderr, /CONFIG_INVALID/);
  await must(inNetVm, ['rm', settings]);
  assert.equal((await service('start')).status, 0);
  await must(inNetVm, socket);
  assert.equal((await service('stop')).status, 0);
  assert.notEqual((await inNetVm(socket)).status, 0);
};

/** Four VMs with agents call each other in four pairs, without dom0. */
export const vmsCallEachOther = async (host: LabHost, stopwatch: Stopwatch): Promise<void> => {
  const first = await startAll(host, stopwatch);
  await callSigner(first, stopwatch);
  await callInEveryPair(first);
  await assertDom0HasNoAgent(host);
  await killServer(first, stopwatch);
  const second = await replaceClients(host, first, stopwatch);
  await Promise.all([assertCopies(second.sa, 'workload-vm'), callUnlisted(host, second)]);
  await assertDom0HasNoAgent(host);
  await Promise.all(Object.values(second).map((agent) => agent.kill()));
};
