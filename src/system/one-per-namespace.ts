/** One process of a kind in a network namespace. */
import { createServer, type Server } from 'node:net';
import { VifwatchError } from '../errors.ts';
import { listen } from './listening-socket.ts';

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
