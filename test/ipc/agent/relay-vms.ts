/** Three VMs on the simulated host: a caller and a target without a link between them, and their relay. */
import { rm } from 'node:fs/promises';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import type { PeersDocument } from '../../../src/ipc/agent/peer-status.ts';
import type { CallRequest, Outcome } from '../../../src/ipc/protocol/call.ts';
import type { Agent, AgentSpec } from '../../rig/sim/agent.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { hangMs } from '../../support/until.ts';
import { bundleProgram } from '../vchan/ends.ts';
import { makeVm, peerIs, services } from './vms.ts';

export const allowAll = ['* * @anyvm @anyvm allow'];

/** Makes `workload-vm`, which calls `sa-vm` over the relay `mgmt-vm`. None of the three agents runs yet. */
export const makeThree = async (host: SimHost, target: AgentSpec = {}) => {
  const relay = await makeVm(host, 'mgmt-vm', { serve: ['*'], relay: 'mgmt-vm', policy: allowAll });
  const sa = await makeVm(host, 'sa-vm', {
    connect: ['mgmt-vm'],
    relay: 'mgmt-vm',
    policy: allowAll,
    services,
    ...target,
  });
  const client = await makeVm(host, 'workload-vm', { connect: ['mgmt-vm'], relay: 'mgmt-vm' });
  return { relay, sa, client };
};

/** Starts all agents, and waits until each is linked with the relay. */
export const startLinked = async (relay: Agent, ...others: readonly Agent[]): Promise<void> => {
  await Promise.all([relay, ...others].map((vm) => vm.start()));
  await Promise.all(others.map((vm) => peerIs(vm, 'mgmt-vm', 'up')));
};

/** Gives a predicate: an agent's peers document shows `route` as the route to the VM `name`. */
export const routeTo =
  (name: string, route: 'direct' | 'relay' | null) =>
  ({ peers }: PeersDocument): boolean =>
    peers.find((peer) => peer.name === name)?.route === route;

/** Makes calls to `server` from a domain whose agent sends `requests` unchecked. */
export const callRaw = async (
  host: SimHost,
  domid: number,
  server: Agent,
  requests: readonly CallRequest[],
): Promise<readonly Outcome[]> => {
  const program = await bundleProgram(new URL('child/raw-caller.ts', import.meta.url));
  onTestFinished(() => rm(program, { force: true }));
  const argv = [program, `${server.domid}`, JSON.stringify(requests)];
  const { stdout } = await execa(process.execPath, argv, {
    env: host.sim.env({ domid, hypercalls: true }),
    timeout: hangMs,
  });
  return JSON.parse(stdout) as Outcome[];
};
