/** The control socket: the daemon sends each client the status, one JSON document, and reads nothing. */
import { createServer, type Server } from 'node:net';
import { listenAt } from '../../system/listening-socket.ts';
import type { Status } from '../status/status.ts';
import { controlSocket } from './control-socket.ts';

/**
 * Opens the control socket and replaces a stale one. The socket's presence shows that the daemon is ready.
 */
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
