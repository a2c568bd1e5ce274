/** The agent's address for local programs: a module of its own, so that CLI commands load little code. */

/** The path of the local socket. */
export const agentSocket = (directory: string): string => `${directory}/agent.sock`;

/** The agent's own service: the call's target is empty, and the answer is a `PeersDocument`. */
export const peersService = 'peers';
