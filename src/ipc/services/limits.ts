/**
 * Limits of calls and of their ends. They are fixed, so that no configuration file can lift them by mistake.
 */

/**
 * The number of a peer's running calls at which its next call of the kind is refused. A process costs more
 * than a socket.
 */
export const callsPerPeer = { executable: 64, socket: 1024 } as const;

/**
 * The most processes for all callers of one relay, which can use any number of names: the share of four
 * peers.
 */
export const processesPerRelay = 256;

/** The time from SIGTERM to SIGKILL: enough to remove a temporary file, not to continue work. */
export const termMs = 1000;

/** The longest wait after SIGKILL: only a process that hangs in the kernel takes longer. */
export const killMs = 500;

/** The time for which remaining processes of a service may keep its outputs open without data, or run on. */
export const leftoverMs = 2000;

/** The length of `sun_path` in unix(7), without the final NUL. libuv may truncate a longer path. */
export const socketPathBytes = 107;
