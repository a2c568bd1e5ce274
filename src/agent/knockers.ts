/** Who knocks without being expected: for an agent that serves everyone who has a name. */
import { concatMap, filter, from, map, merge, type Observable, startWith } from 'rxjs';
import type { VmName } from '../config/vm-name.ts';
import type { Xenstore } from '../xen/xenstore.ts';
import type { DomainMap } from './domain-map.ts';
import { readKnock } from './rendezvous.ts';

const domains = '/local/domain';

/** The domain whose knock at `server` an event's path speaks of. */
const knockerOf = (path: string, server: number): number | undefined => {
  const [, domid, knockedAt] =
    /^\/local\/domain\/([1-9]\d{0,4})\/data\/vifwatch\/knock\/(\d+)$/.exec(path) ?? [];
  return knockedAt === `${server}` ? Number(domid) : undefined;
};

/**
 * Names of VMs that knock; one may come again and again. A domain that has no name yet is looked at once it has one.
 * Errors with a XenstoreError if the connection is lost.
 */
export const knockers = (store: Xenstore, names: DomainMap, server: number): Observable<VmName> => {
  /** A domU may not list domains, but it can ask for each that has a name. */
  const knocking = async (only: number | undefined): Promise<readonly VmName[]> => {
    const known = [...(await names.names())].filter(
      ([domid]) => only === undefined || domid === only,
    );
    const asked = known.map(async ([client, name]) => {
      const knock = await readKnock(store, { server, client });
      return knock === undefined ? [] : [name];
    });
    return (await Promise.all(asked)).flat();
  };
  // One watch for all: other domains' nodes make no event, unless they are readable for this one.
  const knocks = store.watch(domains).pipe(
    map((path) => knockerOf(path, server)),
    filter((domid) => domid !== undefined),
  );
  const anyone = names.changes.pipe(
    startWith(undefined),
    map(() => undefined),
  );
  return merge(anyone, knocks).pipe(
    concatMap(async (only) => from(await knocking(only))),
    concatMap((found) => found),
  );
};
