/** Asks the agent for the states of its links. */
import { text } from 'node:stream/consumers';
import { peersService } from '../../ipc/agent/agent-socket.ts';
import type { PeersDocument } from '../../ipc/agent/peer-status.ts';
import { connectToAgent } from './agent-link.ts';

/** @throws Error with a hint if the agent cannot be reached */
export const askPeers = async (runtime: string): Promise<PeersDocument> => {
  const mux = await connectToAgent(runtime);
  const asked = mux.open({ target: '', service: peersService, argument: '' });
  asked.stdin.end();
  const answer = await text(asked.stdout);
  mux.close({ code: 'shutdown', text: 'done' });
  return JSON.parse(answer) as PeersDocument;
};
