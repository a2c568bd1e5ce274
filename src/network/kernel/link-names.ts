/** The names of all links, cheaply: no program is run. */
import { existsSync, readFileSync } from 'node:fs';

/**
 * Of this process's network namespace, which /sys/class/net need not be. Synchronous, since the kernel
 * answers at once.
 */
export const linkNames = (): ReadonlySet<string> => {
  const names = readFileSync('/proc/self/net/dev', 'latin1').split('\n').slice(2);
  return new Set(names.flatMap((line) => line.split(':', 1)[0]?.trim() || []));
};

/** Whether there is a link of that name; unlike all their names, that costs the same however many there are. */
export const hasLink = (name: string): boolean => existsSync(`/proc/sys/net/ipv4/conf/${name}`);
