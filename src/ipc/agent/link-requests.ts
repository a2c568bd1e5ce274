/** Who knocks without being expected: for an agent that serves everyone who has a name. */
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
import { readKnock } from './rendezvous.ts';

const domains = '/local/domain';

/** However often a guest knocks, the others' requests to xenstored must not wait behind looks at it. */
const lookMs = 100;

/** The domain whose knock at `server` an event's path speaks of. */
const knockerOf = (path: string, server: number): number | undefined => {
  const [, domid, knockedAt] =
    /^\/local\/domain\/([1-9]\d{0,4})\/data\/vifwatch\/knock\/(\d+)$/.exec(path) ?? [];
  return knockedAt === `${server}` ? Number(domid) : undefined;
};

/**
 * Names of VMs that knock; one may come again and again. A domain that has no name yet is looked at once it has one.
 * Errors with a XenstoreError if the connection is lost.
 * @param again asks to look at everybody
 */
export const knockers = (
  store: Xenstore,
  names: DomainMap,
  server: number,
  again: Observable<unknown>,
): Observable<VmName> =>
  defer(() => {
    const knocked = new Set<number>();
    let everybody = true;

    /** A domU may not list domains, but it can ask for each that has a name. */
    const look = async (): Promise<readonly VmName[]> => {
      const known = [...(await names.names())].filter(([domid]) => everybody || knocked.has(domid));
      everybody = false;
      knocked.clear();
      const knocks = known.map(async ([client, name]) => {
        const knock = await readKnock(store, { server, client });
        return knock === undefined ? [] : [name];
      });
      return (await Promise.all(knocks)).flat();
    };

    // One watch for all: other domains' nodes make no event, unless they are readable for this one.
    const knocks = store.watch(domains).pipe(
      tap((path) => {
        const domid = knockerOf(path, server);
        if (domid !== undefined) knocked.add(domid);
      }),
      filter(() => knocked.size > 0),
    );
    const anybody = merge(names.changes, again).pipe(
      startWith(undefined),
      tap(() => {
        everybody = true;
      }),
    );
    return merge(anybody, knocks).pipe(
      throttleTime(lookMs, undefined, { leading: true, trailing: true }),
      singleFlight(look),
      concatMap((found) => found),
    );
  });
