/** The local socket, where this VM's programs ask for calls. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { VifwatchError } from '../core/problem.ts';
import { listenAt } from '../net/listening-socket.ts';
import type { IncomingCall } from '../protocol/call.ts';
import { openMux } from '../protocol/mux.ts';
import { loadNative } from '../xen/native.ts';
import { agentSocket, peersService } from './agent-socket.ts';
import { couple } from './couple.ts';
import type { Peers } from './peers.ts';

export type LocalPorts = {
  /** This VM's name. */
  readonly self: string;
  readonly runtime: string;
  /** Whose members may call. */
  readonly group: string | undefined;
  readonly peers: Peers;
  readonly log: Logger;
};

/** Throws CONFIG_INVALID. */
const gidOf = async (group: string): Promise<number> => {
  const lines = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'));
  const gid = lines.find(([name]) => name === group)?.[2];
  if (gid !== undefined) return Number(gid);
  throw new VifwatchError(
    'CONFIG_INVALID',
    `agent.toml: there is no group "${group}" in /etc/group`,
  );
};

/** For whoever has the socket's descriptor: Node keeps it to itself. */
const descriptorOf = (socket: Socket): number | undefined =>
  (socket as unknown as { _handle?: { fd?: number } })._handle?.fd;

/** Opens the socket, which tells everybody that the agent is ready; a stale one is replaced. Throws CONFIG_INVALID. */
export const openLocal = async (ports: LocalPorts): Promise<Server> => {
  const { self, runtime, group, peers } = ports;

  const answer = async (call: IncomingCall, log: Logger): Promise<void> => {
    const { target, service, argument } = call.request;
    // As over a vchan, no target is whoever is at the other end: here, the agent itself.
    if (target === '') {
      if (service !== peersService) return call.refuse({ code: 'not-found', text: service });
      call.stdout.end(`${JSON.stringify({ peers: peers.status() })}\n`);
      return call.exit(0);
    }
    log.info({ to: target, service, argument }, 'a program calls');
    try {
      const link = await peers.reach(target, call.cancelled);
      await couple(call, link.open({ target: '', service, argument }));
    } catch (error) {
      call.refuse({ code: 'unreachable', text: (error as Error).message });
    }
  };

  const serve = (socket: Socket): void => {
    socket.on('error', () => socket.destroy());
    const descriptor = descriptorOf(socket);
    const who = descriptor === undefined ? {} : loadNative().peerCredentials(descriptor);
    const log = ports.log.child(who);
    openMux(socket, { role: 'server', name: self, onCall: (call) => void answer(call, log) });
  };

  const server = createServer({ allowHalfOpen: true }, serve);
  await listenAt(server, agentSocket(runtime), group === undefined ? 0 : await gidOf(group));
  return server;
};
