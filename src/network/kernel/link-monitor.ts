/** Tells that links, addresses, routes or neighbours changed; what changed is for the next observation to see. */
import { filter, type Observable } from 'rxjs';
import { type NeighbourNews, neighbourOf } from '../text/monitor-lines.ts';
import { openLines, watchMonitor } from './monitor.ts';

/** Emits once it listens, then at every change; errors with MONITOR_FAILED. */
export const watchLinks = (): Observable<unknown> =>
  watchMonitor(['ip', 'monitor', 'link', 'address', 'route']);

/**
 * Emits once it listens, then when an entry changes that is ours, or might be. A program of its own, and filtered: guests
 * make entries for as many link-local addresses as they like, and must not make the others be lost.
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
