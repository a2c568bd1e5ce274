/** Ensures that only one process of a kind runs in a network namespace. */
import { createServer, type Server } from 'node:net';
import { VifwatchError } from '../errors.ts';
import { listen } from './listening-socket.ts';

/**
 * Claims `name` in the network namespace for as long as this process lives. The claim is an abstract
 * socket: it belongs to the namespace, and the kernel removes it even after `kill -9`.
 * @throws VifwatchError ALREADY_RUNNING
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
