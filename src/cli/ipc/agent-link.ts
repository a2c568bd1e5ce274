/** A local program's link with its VM's agent. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { agentSocket, peersService } from '../../ipc/agent/agent-socket.ts';
import type { PeersDocument } from '../../ipc/agent/peer-status.ts';
import { type Mux, openMux } from '../../ipc/protocol/mux.ts';

const hints: Readonly<Record<string, string>> = {
  ENOENT: 'is the agent running? rc-service vifwatch-agent status',
  ECONNREFUSED: 'the agent has died: rc-service vifwatch-agent status',
  EACCES: 'only root and members of the group in agent.toml may call',
};

/**
 * Connects to the agent's socket.
 * @throws Error with a hint
 */
export const connectToAgent = async (runtime: string): Promise<Mux> => {
  const path = agentSocket(runtime);
  const socket: Socket = createConnection({ path, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(`cannot reach the agent: ${message}${hints[code] ? `; ${hints[code]}` : ''}`);
  }
  return openMux(socket, {
    role: 'client',
    name: 'vifwatch',
    onCall: (call) => call.refuse({ code: 'denied', text: 'a local program does not serve calls' }),
  });
};

/** @throws Error with a hint if the agent cannot be reached */
export const askPeers = async (runtime: string): Promise<PeersDocument> => {
  const mux = await connectToAgent(runtime);
  const asked = mux.open({ target: '', service: peersService, argument: '' });
  asked.stdin.end();
  const answer = await text(asked.stdout);
  mux.close({ code: 'shutdown', text: 'done' });
  return JSON.parse(answer) as PeersDocument;
};
