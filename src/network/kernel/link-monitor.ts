/**
 * Reports that links, addresses, routes, rules, settings of links or neighbour entries changed; the next observation
 * finds the change.
 */
import { filter, type Observable } from 'rxjs';
import { type NeighbourNews, neighbourOf } from '../text/monitor-lines.ts';
import { openLines, watchMonitor } from './monitor.ts';

/** Emits once it listens, then at every change; errors with MONITOR_FAILED. */
export const watchLinks = (): Observable<unknown> =>
  watchMonitor(['ip', 'monitor', 'link', 'address', 'route', 'netconf', 'rule']);

/**
 * Emits once it listens, then when a neighbour entry changes that is permanent or that `isOurs` accepts.
 * Errors with MONITOR_FAILED. It runs a separate program and filters its output: guests can create entries
 * for any number of link-local addresses, and these must not make the kernel drop messages about links and
 * routes.
 */
export const watchNeighbours = (
  isOurs: (neighbour: NeighbourNews) => boolean,
): Observable<unknown> => {
  const linesOf = openLines();
  const matters = (line: string): boolean => {
    const neighbour = neighbourOf(line);
    return neighbour !== undefined && (neighbour.isPermanent || isOurs(neighbour));
  };
  return watchMonitor(['ip', 'monitor', 'neigh']).pipe(
    filter((output) => output === undefined || linesOf(output).some(matters)),
  );
};
