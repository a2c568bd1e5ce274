/** What programs know of the agent; apart from the rest, so that the commands load no more than they need. */

/** The path of the local socket. */
export const agentSocket = (directory: string): string => `${directory}/agent.sock`;

/** The one service of the agent itself, whose target is no VM: it answers with a `PeersDocument`. */
export const peersService = 'peers';
