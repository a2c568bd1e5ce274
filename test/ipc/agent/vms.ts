/** VMs with agents on the simulated host, and calls between them. */
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { onTestFinished } from 'vitest';
import { agentSocket } from '../../../src/ipc/agent/agent-socket.ts';
import type { PeerStatus, PeersDocument } from '../../../src/ipc/agent/peer-status.ts';
import type { CallRequest, Outcome } from '../../../src/ipc/protocol/call.ts';
import type { CloseReason } from '../../../src/ipc/protocol/close-reason.ts';
import { type Mux, openMux } from '../../../src/ipc/protocol/mux.ts';
import { callsPerPeer } from '../../../src/ipc/services/limits.ts';
import { type Agent, type AgentSpec, makeAgent } from '../../rig/sim/agent.ts';
import { type SimHost, type SimHostOptions, startSimHost } from '../../rig/sim/sim-host.ts';
import { until } from '../../support/until.ts';

/** A host that ends with the test. */
export const startHost = async (options: SimHostOptions = { store: 'xenstored' }) => {
  const host = await startSimHost(options);
  onTestFinished(() => host.close());
  return host;
};

/** Creates a domain called `name` with an agent that does not run yet. */
export const makeVm = async (host: SimHost, name: string, spec: AgentSpec): Promise<Agent> =>
  makeAgent(host, { name, domid: await host.create({ name }) }, spec);

/** Shell services that any test can name in its policy. */
export const services = {
  cat: '#!/bin/sh\nexec cat\n',
  hello:
    '#!/bin/sh\necho "hello $QREXEC_REMOTE_DOMAIN, you said $1"\necho "and this is stderr" >&2\nexit 7\n',
  pid: '#!/bin/sh\necho $$\nexec sleep 1000\n',
};

/** Makes a server `sa-vm` that lets `workload-vm` call everything, and that client; neither runs yet. */
export const makePair = async (host: SimHost, spec: AgentSpec = {}) => {
  const server = await makeVm(host, 'sa-vm', {
    serve: ['workload-vm'],
    policy: ['* * workload-vm sa-vm allow'],
    services,
    ...spec,
  });
  const client = await makeVm(host, 'workload-vm', { connect: ['sa-vm'] });
  return { server, client };
};

/** Connects to the socket of an agent, as a program in its VM does. */
export const linkTo = async (agent: Agent): Promise<Mux> => {
  const socket = createConnection({ path: agentSocket(agent.runtime), allowHalfOpen: true });
  await once(socket, 'connect');
  const mux = openMux(socket, { role: 'client', name: 'test', onCall: () => {} });
  onTestFinished(() => mux.close(done));
  await mux.ready;
  return mux;
};

/** Listens as a resident echo service, in this process. */
export const listenEcho = async (agent: Agent): Promise<void> => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    pipeline(socket, socket).catch(() => {});
  });
  // All calls that a peer can have arrive at once, and this process may accept them slowly.
  server.listen({ path: `${agent.etc}/services/echo`, backlog: callsPerPeer.socket });
  onTestFinished(() => {
    server.close();
  });
  await once(server, 'listening');
};

export const done: CloseReason = { code: 'shutdown', text: 'done' };

export type Answer = {
  readonly outcome: Outcome;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
};

/** Makes a call with `input`, and waits for its outcome and whole output. */
export const ask = async (
  mux: Mux,
  request: CallRequest,
  input: string | Buffer = '',
): Promise<Answer> => {
  const call = mux.open(request);
  call.stdin.end(input);
  const [stdout, stderr, outcome] = await Promise.all([
    buffer(call.stdout).catch(() => Buffer.of()),
    buffer(call.stderr).catch(() => Buffer.of()),
    call.outcome,
  ]);
  return { outcome, stdout, stderr };
};

/** The JSON document of `vifwatch peers`, from the agent itself. */
export const peersOf = async (mux: Mux): Promise<PeersDocument> => {
  const { stdout } = await ask(mux, { target: '', service: 'peers', argument: '' });
  return JSON.parse(stdout.toString()) as PeersDocument;
};

/** Waits until an agent's peers document fulfils `isSo`; `what` describes that in the error. */
export const peersBecome = async (
  agent: Agent,
  what: string,
  isSo: (document: PeersDocument) => boolean,
): Promise<void> => {
  const mux = await linkTo(agent);
  try {
    await until(what, async () => isSo(await peersOf(mux)));
  } catch (cause) {
    throw new Error(`${what}: ${agent.log()}`, { cause });
  } finally {
    mux.close(done);
  }
};

/** Waits until an agent shows the peer `name` in `state`, or does not list it (`undefined`). */
export const peerIs = async (
  agent: Agent,
  name: string,
  state: PeerStatus['state'] | undefined,
): Promise<void> =>
  await peersBecome(
    agent,
    `${name} is ${state}`,
    ({ peers }) => peers.find((peer) => peer.name === name)?.state === state,
  );
