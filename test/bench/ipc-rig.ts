/** VMs with agents on the fast rig, resident services in one VM, and the compared programs. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { execa } from 'execa';
import { agentSocket } from '../../src/ipc/agent/agent-socket.ts';
import { bundleProgram } from '../ipc/vchan/ends.ts';
import { type Agent, makeAgent } from '../rig/sim/agent.ts';
import { startUntil } from '../rig/sim/appearance.ts';
import { type SimHost, startSimHost } from '../rig/sim/sim-host.ts';
import type { TiedProcess } from '../rig/sim/tied-process.ts';
import { atEnd } from '../support/at-end.ts';
import { until, untilFound } from '../support/until.ts';
import { mustRun } from './must-run.ts';
import { withProxies } from './proxies.ts';

const here = new URL('./', import.meta.url);

const names = { server: 'sa-vm', client: 'workload-vm', bare: 'bare-vm' };
const programs = ['caller', 'ring', 'linked'] as const;
type Program = (typeof programs)[number];
type Arguments = readonly (string | number)[];

export type Received = { readonly bytes: number; readonly seconds: number };

export type IpcRig = {
  /** The agent of the VM that has the services. */
  readonly server: Agent;
  readonly client: Agent;
  /** The local socket of the client's agent. */
  readonly socket: string;
  /** The path of a service by name. */
  readonly service: (name: string) => string;
  /** Runs `child/caller.ts` in the client; resolves with its output. */
  readonly caller: (...args: Arguments) => Promise<unknown>;
  /** Resolves with the sink's counts of its last `count` connections, when they have ended. */
  readonly received: (count: number) => Promise<readonly Received[]>;
  /** The median of `count` round trips over a bare vchan, in microseconds. */
  readonly ringTrip: (count: number) => Promise<number>;
  /**
   * The same with a resident service, from a process that is itself the end of a link with the server's
   * agent.
   */
  readonly linkTrip: (count: number) => Promise<number>;
  /** Runs `body` with a unix socket in the client that two real vchan-socket-proxies connect to a service. */
  readonly proxied: <T>(name: string, body: (path: string) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
};

const buildResident = async (directory: string): Promise<string> => {
  const program = `${directory}/resident`;
  const source = new URL('resident.c', here).pathname;
  await execa('cc', ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
  return program;
};

const startAgents = async (host: SimHost) => {
  const make = async (name: string, spec: Parameters<typeof makeAgent>[2]): Promise<Agent> =>
    makeAgent(host, { name, domid: await host.create({ name }) }, spec);
  const resident = 'skip-service-descriptor = true\n';
  const server = await make(names.server, {
    serve: [names.client, names.bare],
    policy: [`* * @anyvm ${names.server} allow`],
    // The script's interpreter is `true` itself, so a call costs only the start of a script.
    services: { true: '#!/bin/true\n' },
    serviceConfigs: { echo: resident, sink: resident },
  });
  const client = await make(names.client, { connect: [names.server] });
  await Promise.all([server.start(), client.start()]);
  return { server, client, bare: await host.create({ name: names.bare }) };
};

const linesOf = (log: string): string[] => log.split('\n').slice(0, -1);

/** The first line of a running program's output; undefined if it has not written one yet. */
const firstLine = ({ log, child }: TiedProcess): string | undefined => {
  mustRun(child, log);
  return linesOf(log())[0];
};

const startServices = async ({ sim }: SimHost, { etc, domid }: Agent) => {
  const resident = await buildResident(sim.directory);
  const service = (name: string): string => `${etc}/services/${name}`;
  const serve = (mode: string) =>
    startUntil(service(mode), () => sim.start(mode, [resident, mode, service(mode)], { domid }));
  await serve('echo');
  const sink = await serve('sink');
  let seen = 0;
  const received = async (count: number): Promise<readonly Received[]> => {
    const unseen = (): string[] => linesOf(sink.log()).slice(seen);
    await until(`the sink has seen ${count} ended connections`, () => {
      mustRun(sink.child, sink.log);
      return unseen().length >= count;
    });
    const lines = unseen().slice(0, count);
    seen += count;
    return lines.map((line) => {
      const [bytes = 0, seconds = 0] = line.split(' ').map(Number);
      return { bytes, seconds };
    });
  };
  return { service, received };
};

const startPrograms = async (
  host: SimHost,
  paths: ReadonlyMap<Program, string>,
): Promise<IpcRig> => {
  const { sim } = host;
  const { server, client, bare } = await startAgents(host);
  const { service, received } = await startServices(host, server);
  const argv = (program: Program, args: Arguments): string[] => [
    process.execPath,
    paths.get(program) ?? '',
    ...args.map(String),
  ];
  const run = async (domid: number, program: Program, ...args: Arguments): Promise<unknown> => {
    const options = { domid, hypercalls: true };
    const { status, stdout, stderr } = await sim.run(argv(program, args), options);
    assert.equal(status, 0, stderr);
    return stdout === '' ? undefined : JSON.parse(stdout);
  };
  let rings = 0;
  const ringTrip = async (count: number): Promise<number> => {
    rings += 1;
    const options = { domid: server.domid, hypercalls: true };
    const echo = sim.start(`ring-${rings}`, argv('ring', ['echo', client.domid]), options);
    const offer = await untilFound('the ring is offered', () => firstLine(echo));
    const { ringRef, eventChannel } = JSON.parse(offer);
    const numbers = [server.domid, ringRef, eventChannel, count];
    const time = await run(client.domid, 'ring', 'ping', ...numbers);
    await echo.ended;
    return time as number;
  };
  return {
    server,
    client,
    socket: agentSocket(client.runtime),
    service,
    caller: (...args) => run(client.domid, 'caller', ...args),
    received,
    ringTrip,
    linkTrip: async (count) => (await run(bare, 'linked', server.domid, bare, count)) as number,
    proxied: (name, body) =>
      withProxies(host, { server: server.domid, client: client.domid, to: service(name) }, body),
    close: host.close,
  };
};

/** Bundles the child programs into a directory that is removed when this process ends. */
const bundlePrograms = async (): Promise<ReadonlyMap<Program, string>> => {
  const paths = new Map<Program, string>();
  atEnd(() => {
    for (const path of paths.values()) rmSync(path, { force: true });
  });
  for (const name of programs)
    paths.set(name, await bundleProgram(new URL(`child/${name}.ts`, here)));
  return paths;
};

/** Starts the VMs, their agents and services. */
export const startIpcRig = async (): Promise<IpcRig> => {
  const paths = await bundlePrograms();
  const host = await startSimHost({ store: 'xenstored' });
  try {
    return await startPrograms(host, paths);
  } catch (error) {
    await host.close();
    throw error;
  }
};
