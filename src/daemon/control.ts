/** The control socket: whoever connects is sent the status, one JSON document, and nothing is read. */
import { createServer, type Server } from 'node:net';
import { VifwatchError } from '../core/problem.ts';
import type { Status } from '../core/status.ts';
import { listen, listenAt } from '../net/listening-socket.ts';
import { controlSocket } from './control-socket.ts';

/**
 * Makes this the only one of that name in the network namespace, for as long as the process lives: the
 * abstract socket belongs to the namespace, and the kernel takes it back even after a `kill -9`.
 * Throws ALREADY_RUNNING.
 */
export const claimNamespace = async (name: 'vifwatch' | 'vifwatch-agent'): Promise<Server> => {
  const server = createServer((socket) => socket.destroy()).unref();
  try {
    await listen(server, `\0${name}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new VifwatchError('ALREADY_RUNNING', `another ${name} serves this network namespace`);
  }
  return server;
};

/** Opens the control socket, which tells everybody that the daemon is ready; a stale one is replaced. */
export const openControl = async (
  directory: string,
  status: () => Promise<Status>,
): Promise<Server> => {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    void status().then(
      (found) => socket.end(`${JSON.stringify(found)}\n`),
      () => socket.destroy(),
    );
  });
  await listenAt(server, controlSocket(directory));
  return server;
};
