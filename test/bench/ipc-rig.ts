/** Two VMs with agents on the fast rig, resident services in one, and the programs that are compared. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { agentSocket } from '../../src/agent/agent-socket.ts';
import { type Agent, makeAgent } from '../rig/sim/agent.ts';
import { startUntil } from '../rig/sim/appearance.ts';
import { nodeBecomes } from '../rig/sim/node-state.ts';
import { type SimHost, startSimHost } from '../rig/sim/sim-host.ts';
import type { TiedProcess } from '../rig/sim/tied-process.ts';
import { bundleProgram } from '../vchan/ends.ts';

const here = new URL('./', import.meta.url);
const proxyProgram = '/usr/lib/xen-4.17/bin/vchan-socket-proxy';

export type IpcRig = {
  readonly host: SimHost;
  /** Has the services. */
  readonly server: Agent;
  readonly client: Agent;
  /** The local socket of the client's agent. */
  readonly socket: string;
  /** The path of a service. */
  readonly service: (name: string) => string;
  /** Runs `child/caller.ts` in the client; what it prints. */
  readonly caller: (...args: readonly (string | number)[]) => Promise<unknown>;
  /** What the sink got in the last connections: bytes and seconds of each, once they have ended. */
  readonly received: (count: number) => Promise<readonly Received[]>;
  /** The times of round trips over a bare vchan, microseconds. */
  readonly ringRoundTrips: (count: number) => Promise<readonly number[]>;
  /** Has two real vchan-socket-proxies lead from a unix socket in the client to the sink, while `body` runs. */
  readonly withProxies: (body: (socket: string) => Promise<unknown>) => Promise<void>;
  readonly close: () => Promise<void>;
};

export type Received = { readonly bytes: number; readonly seconds: number };

const buildResident = async (directory: string): Promise<string> => {
  const program = `${directory}/resident`;
  const source = new URL('resident.c', here).pathname;
  await execa('cc', ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
  return program;
};

const startAgents = async (host: SimHost) => {
  const resident = 'skip-service-descriptor = true\n';
  const [serverName, clientName] = ['sa-vm', 'workload-vm'];
  const server = makeAgent(
    host,
    { name: serverName, domid: await host.create({ name: serverName }) },
    {
      serve: [clientName],
      policy: [`* * ${clientName} ${serverName} allow`],
      // Run by itself, with its own path as an argument: what a script costs and no more.
      services: { true: '#!/bin/true\n' },
      serviceConfigs: { echo: resident, sink: resident },
    },
  );
  const client = makeAgent(
    host,
    { name: clientName, domid: await host.create({ name: clientName }) },
    { connect: [serverName] },
  );
  await Promise.all([server.start(), client.start()]);
  return { server, client };
};

const startProxies = async ({ sim, dom0 }: SimHost, server: number, client: number, to: string) => {
  const at = `${sim.directory}/proxied`;
  rmSync(at, { force: true });
  const start = (domid: number, args: readonly string[]): TiedProcess =>
    sim.start(`proxy-${domid}`, [proxyProgram, ...args], { domid, hypercalls: true });
  const state = 'data/bench-state';
  const path = 'data/bench';
  const serving = start(server, ['--mode=server', `--state-path=${state}`, `${client}`, path, to]);
  const isRunning = (value: string | undefined): boolean => value === 'running';
  await nodeBecomes(dom0, `/local/domain/${server}/${state}`, isRunning, 10);
  const joining = await startUntil(at, 10, () =>
    start(client, ['--mode=client', `${server}`, `/local/domain/${server}/${path}`, at]),
  );
  const stop = async (): Promise<void> => {
    await Promise.all([serving.kill(), joining.kill()]);
    for (const node of [state, path]) await dom0.remove(`/local/domain/${server}/${node}`);
  };
  return { at, stop };
};

const linesOf = (log: string): string[] => log.split('\n').slice(0, -1);

export const startIpcRig = async (): Promise<IpcRig> => {
  const host = await startSimHost({ store: 'xenstored' });
  const { sim } = host;
  const programs: string[] = [];
  const close = async (): Promise<void> => {
    await host.close();
    for (const program of programs) rmSync(program);
  };
  const bundle = async (name: string): Promise<string> => {
    const program = await bundleProgram(new URL(`child/${name}.ts`, here));
    programs.push(program);
    return program;
  };
  try {
    const { server, client } = await startAgents(host);
    const callerProgram = await bundle('caller');
    const ringProgram = await bundle('ring');
    const resident = await buildResident(sim.directory);
    const service = (name: string): string => `${server.etc}/services/${name}`;
    const serve = (mode: string): Promise<TiedProcess> =>
      startUntil(service(mode), 10, () =>
        sim.start(mode, [resident, mode, service(mode)], { domid: server.domid }),
      );
    await serve('echo');
    const sink = await serve('sink');
    let seen = 0;

    const run = async (domid: number, argv: readonly string[]): Promise<unknown> => {
      const node = [process.execPath, ...argv];
      const { status, stdout, stderr } = await sim.run(node, { domid, hypercalls: true });
      assert.equal(status, 0, stderr);
      return stdout === '' ? undefined : JSON.parse(stdout);
    };

    const received: IpcRig['received'] = async (count) => {
      const lines = (): string[] => linesOf(sink.log()).slice(seen);
      while (lines().length < count) await delay(5);
      seen += count;
      return linesOf(sink.log())
        .slice(seen - count)
        .map((line) => line.split(' ').map(Number))
        .map(([bytes = 0, seconds = 0]) => ({ bytes, seconds }));
    };

    const ringRoundTrips: IpcRig['ringRoundTrips'] = async (count) => {
      const echo = sim.start(
        `ring-${count}`,
        [process.execPath, ringProgram, 'echo', `${client.domid}`],
        { domid: server.domid, hypercalls: true },
      );
      const offers = (): string[] => linesOf(echo.log());
      const before = offers().length;
      while (offers().length === before) await delay(5);
      const { ringRef, eventChannel } = JSON.parse(offers().at(-1) ?? '');
      const numbers = [server.domid, ringRef, eventChannel, count].map(String);
      const times = await run(client.domid, [ringProgram, 'ping', ...numbers]);
      await echo.ended;
      return times as number[];
    };

    return {
      host,
      server,
      client,
      socket: agentSocket(client.runtime),
      service,
      caller: (...args) => run(client.domid, [callerProgram, ...args.map(String)]),
      received,
      ringRoundTrips,
      withProxies: async (body) => {
        const { at, stop } = await startProxies(host, server.domid, client.domid, service('sink'));
        await body(at).finally(stop);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
