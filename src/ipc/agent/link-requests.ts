/** Link requests of VMs that are not listed: for an agent that serves everyone who has a name. */
import {
  concatMap,
  defer,
  filter,
  merge,
  type Observable,
  startWith,
  tap,
  throttleTime,
} from 'rxjs';
import { singleFlight } from '../../system/single-flight.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import type { VmName } from '../config/vm-name.ts';
import type { DomainMap } from './domain-map.ts';
import { readLinkRequest } from './rendezvous.ts';

const domains = '/local/domain';

/** However often a guest asks for a link, the others' requests to xenstored must not wait behind looks at it. */
const scanMs = 100;

/** The domain whose link request to `server` an event's path speaks of. */
const requesterOf = (path: string, server: number): number | undefined => {
  const [, domid, requestedServer] =
    /^\/local\/domain\/([1-9]\d{0,4})\/data\/vifwatch\/knock\/(\d+)$/.exec(path) ?? [];
  return requestedServer === `${server}` ? Number(domid) : undefined;
};

/**
 * Names of VMs that ask for a link; one may come again and again. A domain that has no name yet is looked at once it has one.
 * Errors with a XenstoreError if the connection is lost.
 * @param again asks to look at everybody
 */
export const linkRequests = (
  store: Xenstore,
  names: DomainMap,
  server: number,
  rescans: Observable<unknown>,
): Observable<VmName> =>
  defer(() => {
    const requesters = new Set<number>();
    let scanAll = true;

    /** A domU may not list domains, but it can ask for each that has a name. */
    const scan = async (): Promise<readonly VmName[]> => {
      const known = [...(await names.names())].filter(
        ([domid]) => scanAll || requesters.has(domid),
      );
      scanAll = false;
      requesters.clear();
      const requesting = known.map(async ([client, name]) => {
        const request = await readLinkRequest(store, { server, client });
        return request === undefined ? [] : [name];
      });
      return (await Promise.all(requesting)).flat();
    };

    // One watch for all: other domains' nodes make no event, unless they are readable for this one.
    const requestEvents = store.watch(domains).pipe(
      tap((path) => {
        const domid = requesterOf(path, server);
        if (domid !== undefined) requesters.add(domid);
      }),
      filter(() => requesters.size > 0),
    );
    const fullScans = merge(names.changes, rescans).pipe(
      startWith(undefined),
      tap(() => {
        scanAll = true;
      }),
    );
    return merge(fullScans, requestEvents).pipe(
      throttleTime(scanMs, undefined, { leading: true, trailing: true }),
      singleFlight(scan),
      concatMap((found) => found),
    );
  });
