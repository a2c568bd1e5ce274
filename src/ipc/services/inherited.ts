/**
 * Closes descriptors that the parent process left open: before Linux 5.9, each service would inherit them.
 */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC, as in /proc/self/fdinfo. */
const closeOnExec = 0o2000000;

const isInheritable = (fd: number): boolean => {
  try {
    const [, flags = ''] =
      /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? [];
    return (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false; // the descriptor that read the directory
  }
};

/**
 * Closes all descriptors above 2 that an exec would keep. It must run first in the process: later, such a
 * descriptor could belong to a library that forgot the flag. Node and this program always set it.
 */
export const closeInherited = (): void => {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (fd > 2 && isInheritable(fd)) closeSync(fd);
  }
};
