/** Link requests from VMs that the configuration does not list, for an agent that serves every named VM. */
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
import { type Domid, parseDomid } from '../../address/domid.ts';
import { singleFlight } from '../../system/single-flight.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import type { VmName } from '../config/vm-name.ts';
import type { DomainMap } from './domain-map.ts';
import { readLinkRequest } from './rendezvous.ts';

const domains = '/local/domain';

/**
 * The shortest time between scans: a guest that writes requests in a loop must not delay other VMs' links.
 */
const scanMs = 100;

/** The requesting client's domid, if the path of a watch event is a link request to `server`. */
const requesterOf = (path: string, server: Domid): Domid | undefined => {
  const [, domid, requestedServer] =
    /^\/local\/domain\/([1-9]\d{0,4})\/data\/vifwatch\/knock\/(\d+)$/.exec(path) ?? [];
  return requestedServer === `${server}` ? parseDomid(domid) : undefined;
};

/**
 * Emits the names of VMs that request a link; a name may repeat. A domain without a name is checked once it
 * has one. Errors with a XenstoreError if the connection is lost.
 * @param rescans each event causes a scan of all named VMs
 */
export const linkRequests = (
  store: Xenstore,
  names: DomainMap,
  server: Domid,
  rescans: Observable<unknown>,
): Observable<VmName> =>
  defer(() => {
    const requesters = new Set<Domid>();
    let scanAll = true;

    /** A domU may not list /local/domain, but it can read the link request of each domain that has a name. */
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

    // One watch serves all domains: xenstored sends events only for nodes that this domain can read.
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
