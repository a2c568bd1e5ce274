/** A program's link with the agent of its own VM. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { agentSocket } from '../../ipc/agent/agent-socket.ts';
import { type Mux, openMux } from '../../ipc/protocol/mux.ts';

const hints: Readonly<Record<string, string>> = {
  ENOENT: 'is the agent running? rc-service vifwatch-agent status',
  ECONNREFUSED: 'its agent has died: rc-service vifwatch-agent status',
  EACCES: 'only root and the group that agent.toml names may call',
};

/** Throws an Error with the way out. */
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
    onCall: (call) => call.refuse({ code: 'denied', text: 'a program serves nothing' }),
  });
};
