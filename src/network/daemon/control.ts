/** The control socket: whoever connects is sent the status, one JSON document, and nothing is read. */
import { createServer, type Server } from 'node:net';
import { listenAt } from '../../system/listening-socket.ts';
import type { Status } from '../status/status.ts';
import { controlSocket } from './control-socket.ts';

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
