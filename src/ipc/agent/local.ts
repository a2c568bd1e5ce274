/** The local socket, over which this VM's programs make calls. */
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { VifwatchError } from '../../errors.ts';
import { listenAt } from '../../system/listening-socket.ts';
import { loadNative } from '../../xen/native.ts';
import type { IncomingCall } from '../protocol/call.ts';
import { type Mux, openMux } from '../protocol/mux.ts';
import { findGid } from '../services/passwd.ts';
import { agentSocket, peersService } from './agent-socket.ts';
import type { CallSwitch } from './call-switch.ts';
import type { RateLimitLog } from './log-rate-limit.ts';

/** The most programs connected at once: each can make the agent hold a megabyte. */
const mostPrograms = 256;

type LocalPorts = Pick<CallSwitch, 'place' | 'document'> & {
  /** This VM's name. */
  readonly self: string;
  readonly runtime: string;
  /** The group whose members may call; undefined: root's group. */
  readonly group: string | undefined;
  readonly log: Logger;
  readonly rateLimitLog: RateLimitLog;
};

type Local = {
  /** Closes the socket, and ends the programs' calls. */
  readonly close: () => Promise<void>;
};

/** @throws VifwatchError CONFIG_INVALID if /etc/group does not have the group with a valid number */
const gidOf = async (group: string): Promise<number> => {
  const gid = findGid(await readFile('/etc/group', 'utf8'), group);
  if (gid !== undefined) return gid;
  throw new VifwatchError(
    'CONFIG_INVALID',
    `agent.toml: /etc/group has no group "${group}" with a valid number`,
  );
};

/**
 * The program's credentials from the kernel; undefined if it is gone, or Node does not show the descriptor.
 */
const programAt = (socket: Socket) => {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } | null };
  try {
    return handle === null ? undefined : loadNative().peerCredentials(handle.fd);
  } catch {
    return undefined;
  }
};

/**
 * Opens the socket, and replaces a stale one. The open socket shows that the agent is ready.
 * @throws VifwatchError CONFIG_INVALID if the group does not exist
 */
export const openLocal = async (ports: LocalPorts): Promise<Local> => {
  const { self, runtime, group, place, rateLimitLog } = ports;
  const programs = new Set<Mux>();

  const answer = async (call: IncomingCall, program: { readonly uid: number }): Promise<void> => {
    const { target, service, argument, source } = call.request;
    if (source !== undefined) {
      return call.refuse({
        code: 'denied',
        text: 'a local program may not name another VM as the source',
      });
    }
    // As over a vchan, an empty target is the other end: here, the agent itself.
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
    // The log names each caller, so a program without credentials may not call.
    if (program === undefined) {
      socket.destroy();
      return;
    }
    const onCall = (call: IncomingCall): void => void answer(call, program);
    const mux = openMux(socket, { role: 'server', name: self, onCall, isSilenceFatal: false });
    programs.add(mux);
    void mux.closed.then(() => programs.delete(mux));
  };

  const server = createServer({ allowHalfOpen: true }, serve);
  server.maxConnections = mostPrograms;
  // For example a lack of descriptors. It may pass, and must not end other programs' calls.
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
