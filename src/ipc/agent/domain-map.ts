/** The domains' names. Only dom0 can write them, in /ipc/domain-map. */

import {
  defer,
  distinctUntilChanged,
  filter,
  finalize,
  map,
  merge,
  type Observable,
  Subject,
  share,
  shareReplay,
  startWith,
  take,
  timer,
} from 'rxjs';
import { type Domid, parseDomid } from '../../address/domid.ts';
import { singleFlight } from '../../system/single-flight.ts';
import { domainMap } from '../../xen/domain-map.ts';
import { ifRefused } from '../../xen/refusal.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import { isDomainMapName, type VmName } from '../config/vm-name.ts';

// dom0 may make a node readable only after it has written the node, and xenstored promises no event for that.
const retryMs = 500;
const retries = 20;

/** The domid that has the name. `ambiguous`: the domain has a second name, and could choose its identity. */
export type Named = Domid | 'unknown' | 'ambiguous';

type Table = ReadonlyMap<VmName, Named>;

export type DomainMap = {
  /** Emits the name's domain, then each change. Errors with a XenstoreError if the connection is lost. */
  readonly domainOf: (name: VmName) => Observable<Named>;
  /** All known names by domid, without the domains that have several names. */
  readonly names: () => Promise<ReadonlyMap<Domid, VmName>>;
  /** Emits when a name's domain may have changed. */
  readonly changes: Observable<unknown>;
};

/** The domid of a guest; undefined for dom0, which has no agent, and for any other text. */
const guestOf = (value: string | undefined): Domid | undefined =>
  value === '0' ? undefined : parseDomid(value);

const noNames: readonly string[] = [];

/** Reads and watches /ipc/domain-map. */
export const openDomainMap = (store: Xenstore): DomainMap => {
  /** The subscribers per name. These names are read even if this VM cannot list them. */
  const wanted = new Map<VmName, number>();
  const wishes = new Subject<void>();
  const changes = merge(store.watch(domainMap), timer(retryMs, retryMs).pipe(take(retries))).pipe(
    share(),
  );

  const read = async (): Promise<Table> => {
    // dom0 may forbid this VM to list the names.
    const listed = (await ifRefused(store.list(domainMap), noNames)).filter(isDomainMapName);
    const names = [...new Set([...listed, ...wanted.keys()])];
    const values = await store.readAll(names.map((name) => `${domainMap}/${name}`));
    const domids = values.map(guestOf);
    const namedOf = (domid: Domid | undefined): Named => {
      if (domid === undefined) return 'unknown';
      return domids.indexOf(domid) === domids.lastIndexOf(domid) ? domid : 'ambiguous';
    };
    return new Map(names.map((name, index) => [name, namedOf(domids[index])]));
  };

  const tables = merge(changes, wishes).pipe(
    startWith(undefined),
    singleFlight(read),
    shareReplay({ bufferSize: 1, refCount: true }),
  );

  const want = (name: VmName, more: 1 | -1): void => {
    const count = (wanted.get(name) ?? 0) + more;
    if (count === 0) wanted.delete(name);
    else wanted.set(name, count);
  };

  return {
    changes,
    domainOf: (name) =>
      defer(() => {
        want(name, 1);
        // The last table may have been read without this name: reads a new one.
        queueMicrotask(() => wishes.next());
        return tables.pipe(
          map((table) => table.get(name)),
          filter((named) => named !== undefined),
          distinctUntilChanged(),
          finalize(() => want(name, -1)),
        );
      }),
    names: async () => {
      const found = new Map<Domid, VmName>();
      for (const [name, named] of await read())
        if (typeof named === 'number') found.set(named, name);
      return found;
    },
  };
};
