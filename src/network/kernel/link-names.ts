/** The names of links, read from /proc without running a program. */
import { existsSync, readFileSync } from 'node:fs';
import { type LinkName, reportedLinkName } from '../../address/link-name.ts';

/**
 * The names of all links in this process's network namespace; /sys/class/net may show another namespace.
 * Synchronous, since the kernel answers at once.
 */
export const linkNames = (): ReadonlySet<LinkName> => {
  const names = readFileSync('/proc/self/net/dev', 'latin1').split('\n').slice(2);
  return new Set(
    names.flatMap((line) => line.split(':', 1)[0]?.trim() || []).map(reportedLinkName),
  );
};

/** Whether a link with this name exists. Unlike `linkNames`, it costs the same for any number of links. */
export const hasLink = (name: LinkName): boolean => existsSync(`/proc/sys/net/ipv4/conf/${name}`);
