/** What a call may take and how long its end may last; fixed, so that no file can lift them by mistake. */

/** Calls that one peer may have running when one more of a kind begins. A process costs much, a connection a descriptor. */
export const callsPerPeer = { executable: 64, socket: 1024 } as const;

/** Processes for all that one relay vouches for, who could use more and more names: as many as four peers have. */
export const processesPerRelay = 256;

/** From SIGTERM to SIGKILL: time to remove a temporary file, not to go on working. */
export const termMs = 1000;

/** From SIGKILL until we stop to wait: only a process that hangs inside the kernel needs longer. */
export const killMs = 500;

/** How long what a service left running may keep its outputs open in silence, or simply live on. */
export const leftoverMs = 2000;

/** `sun_path` in unix(7), without the final NUL; libuv may cut off what is longer. */
export const socketPathBytes = 107;
