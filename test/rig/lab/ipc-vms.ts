import assert from 'node:assert/strict';
import type { LabHost } from './lab-host.ts';
import { installAgent, type LogLine, type VmAgent, type VmAgentSpec } from './vm-agent.ts';

const services = {
  sign: '#!/bin/sh\nread -r line\necho "$line, signed with $1"\necho "for $QREXEC_REMOTE_DOMAIN" >&2\nexit 7\n',
  copy: '#!/bin/sh\nexec cat\n',
};

/** Each VM's own call policy. */
const policies = {
  'sa-vm': ['sign +key1 workload-vm sa-vm allow', 'copy * mgmt-vm @anyvm allow'],
  'workload-vm': ['copy * sa-vm workload-vm allow', 'copy * mgmt-vm workload-vm allow'],
  'mgmt-vm': ['copy * net-vm mgmt-vm allow'],
  'net-vm': ['copy * workload-vm net-vm allow', 'copy * mgmt-vm net-vm allow'],
} satisfies Record<string, VmAgentSpec['policy']>;

export type AgentVm = keyof typeof policies;

/** Installs vifwatch, a policy and services in one of the VMs. */
export const install = (host: LabHost, vm: AgentVm): Promise<VmAgent> =>
  installAgent(host, vm, { policy: policies[vm], services });

const names = ['sa', 'workload', 'mgmt', 'net'] as const;
type Name = (typeof names)[number];

export type Agents = Readonly<Record<Name, VmAgent>>;

/** Installs vifwatch, a policy and services in all four VMs. */
export const installAll = async (host: LabHost): Promise<Agents> => {
  const [sa, workload, mgmt, net] = await Promise.all([
    install(host, 'sa-vm'),
    install(host, 'workload-vm'),
    install(host, 'mgmt-vm'),
    install(host, 'net-vm'),
  ]);
  return { sa, workload, mgmt, net };
};

/** Each VM's link peers: sa-vm and net-vm serve, the other two connect. */
const peersOf = {
  sa: ['workload-vm', 'mgmt-vm'],
  net: ['workload-vm', 'mgmt-vm'],
  workload: ['sa-vm', 'net-vm'],
  mgmt: ['sa-vm', 'net-vm'],
} as const satisfies Record<Name, readonly AgentVm[]>;

/** Waits until the VM's agent is ready. */
export const ready = ({ says }: VmAgent): Promise<LogLine> =>
  says('not ready', (log) => log.find(({ msg }) => msg === 'ready'));

const lastOf = (log: readonly LogLine[], peer: string): LogLine | undefined =>
  log.findLast((line) => line.peer === peer && line.msg.startsWith('the link is '));

/**
 * Waits until the VM has a link with each peer; resolves with the seconds from its agent's readiness to the
 * last link.
 */
export const linked = ({ says }: VmAgent, ...peers: readonly AgentVm[]): Promise<number> =>
  says(`no link with ${peers.join(' or ')}`, (log) => {
    const began = log.find(({ msg }) => msg === 'ready');
    const last = peers.map((peer) => lastOf(log, peer));
    if (began === undefined || !last.every((line) => line?.msg === 'the link is up')) return;
    return Math.max(0, ...last.map((line) => ((line?.time ?? 0) - began.time) / 1000));
  });

/** Waits until the VM's agent logs the link's end; resolves with that line. */
export const unlinked = ({ says }: VmAgent, peer: AgentVm): Promise<LogLine> =>
  says(`still a link with ${peer}`, (log) => {
    const last = lastOf(log, peer);
    return last?.msg === 'the link is closed' ? last : undefined;
  });

/** Waits until these VMs have all their links; resolves with the seconds of the slowest VM. */
export const linkedAll = async (agents: Agents, ...whose: readonly Name[]): Promise<number> =>
  Math.max(...(await Promise.all(whose.map((name) => linked(agents[name], ...peersOf[name])))));

type Expected = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** Asserts a call's result; resolves with its seconds. */
export const assertCall = async (
  from: VmAgent,
  [target, service, input]: readonly [string, string, string],
  { status, stdout, stderr }: Expected,
): Promise<number> => {
  const { seconds, ...ended } = await from.call(target, service, input);
  assert.deepEqual(ended, { status, stdout, stderr }, `${from.vm} calls ${target} ${service}`);
  return seconds;
};

/** Asserts that the other VM's service "copy" returns its input. */
export const assertCopies = (from: VmAgent, target: string): Promise<number> => {
  const text = `from ${from.vm} to ${target}\n`;
  return assertCall(from, [target, 'copy', text], { status: 0, stdout: text, stderr: '' });
};
