/** Descriptors that whoever started us left open: before Linux 5.9, each service would be started with them. */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC, as in /proc/self/fdinfo. */
const closeOnExec = 0o2000000;

const isInheritable = (fd: number): boolean => {
  try {
    const [, flags = ''] =
      /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? [];
    return (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false; // the one by which the directory was read
  }
};

/**
 * Closes all above 2 that an exec would keep. To be called first of all in the process: later, one might be somebody's
 * who forgot the flag. All that Node and we open have it.
 */
export const closeInherited = (): void => {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (fd > 2 && isInheritable(fd)) closeSync(fd);
  }
};
