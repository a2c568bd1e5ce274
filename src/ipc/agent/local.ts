/** The local socket, where this VM's programs ask for calls. */
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { VifwatchError } from '../../errors.ts';
import { listenAt } from '../../system/listening-socket.ts';
import { loadNative } from '../../xen/native.ts';
import type { IncomingCall } from '../protocol/call.ts';
import { type Mux, openMux } from '../protocol/mux.ts';
import { agentSocket, peersService } from './agent-socket.ts';
import type { RateLimitLog } from './log-rate-limit.ts';
import type { PeersDocument } from './peer-status.ts';
import type { Routes } from './routes.ts';

/** Programs that are connected at a time: each may hold a megabyte of ours. */
const mostPrograms = 256;

export type LocalPorts = {
  /** This VM's name. */
  readonly self: string;
  readonly runtime: string;
  /** Whose members may call. */
  readonly group: string | undefined;
  readonly place: Routes['place'];
  readonly document: () => PeersDocument;
  readonly log: Logger;
  readonly rateLimitLog: RateLimitLog;
};

export type Local = {
  /** Takes no more calls, and ends those there are. */
  readonly close: () => Promise<void>;
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

/** Whom the kernel says is at the other end; undefined if it is gone, or Node keeps the descriptor to itself. */
const programAt = (socket: Socket) => {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } | null };
  try {
    return handle === null ? undefined : loadNative().peerCredentials(handle.fd);
  } catch {
    return undefined;
  }
};

/** Opens the socket, which tells everybody that the agent is ready; a stale one is replaced. Throws CONFIG_INVALID. */
export const openLocal = async (ports: LocalPorts): Promise<Local> => {
  const { self, runtime, group, place, rateLimitLog } = ports;
  const programs = new Set<Mux>();

  const answer = async (call: IncomingCall, program: { readonly uid: number }): Promise<void> => {
    const { target, service, argument, source } = call.request;
    if (source !== undefined) {
      return call.refuse({ code: 'denied', text: 'a program calls for its own VM' });
    }
    // As over a vchan, no target is whoever is at the other end: here, the agent itself.
    if (target === '') {
      if (service !== peersService) return call.refuse({ code: 'not-found', text: service });
      call.stdout.end(`${JSON.stringify(ports.document())}\n`);
      return call.exit(0);
    }
    rateLimitLog(`uid ${program.uid}`, (suppressed) =>
      ports.log.info({ ...program, to: target, service, argument, suppressed }, 'a program calls'),
    );
    await place(call);
  };

  const serve = (socket: Socket): void => {
    socket.on('error', () => socket.destroy());
    const program = programAt(socket);
    // Nobody calls without being known.
    if (program === undefined) {
      socket.destroy();
      return;
    }
    const onCall = (call: IncomingCall): void => void answer(call, program);
    const mux = openMux(socket, { role: 'server', name: self, onCall });
    programs.add(mux);
    void mux.closed.then(() => programs.delete(mux));
  };

  const server = createServer({ allowHalfOpen: true }, serve);
  server.maxConnections = mostPrograms;
  // Such as a lack of descriptors, which passes: nobody else's call may end by it.
  server.on('error', ({ message }) =>
    rateLimitLog('accept', (suppressed) => ports.log.error({ suppressed }, message)),
  );
  await listenAt(server, agentSocket(runtime), group === undefined ? 0 : await gidOf(group));
  return {
    close: async () => {
      server.close();
      const ends = [...programs].map((mux) => {
        mux.close({ code: 'shutdown', text: 'the agent stops' });
        return mux.closed;
      });
      await Promise.all(ends);
    },
  };
};
