/** Which domain has which name: dom0 says so in /ipc/domain-map, and nobody else can. */

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
import { singleFlight } from '../../system/single-flight.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import { isRefusal } from '../../xen/xenstore.ts';
import { isDomainMapName, type VmName } from '../config/vm-name.ts';

const root = '/ipc/domain-map';

// A node may become readable only after it was written, of which no event is promised.
const retryMs = 500;
const retries = 20;

/** DOMID_FIRST_RESERVED of Xen's public headers; dom0 has no agent. */
const firstReserved = 0x7ff0;

/** The domain that has the name. `ambiguous`: it has another name too, and could choose who to be. */
export type Named = number | 'unknown' | 'ambiguous';

type Table = ReadonlyMap<VmName, Named>;

export type DomainMap = {
  /** First what it is, and then whenever that is another. Errors with a XenstoreError if the connection is lost. */
  readonly domainOf: (name: VmName) => Observable<Named>;
  /** All names that can be listed, by domain; without those of a domain that has several. */
  readonly names: () => Promise<ReadonlyMap<number, VmName>>;
  /** Emits when some name may be another domain's. */
  readonly changes: Observable<unknown>;
};

const parseDomid = (value: string | undefined): number | undefined => {
  if (value === undefined || !/^[1-9]\d{0,4}$/.test(value)) return undefined;
  return Number(value) < firstReserved ? Number(value) : undefined;
};

/** dom0 need not let everybody list the names. */
const emptyIfRefused = (error: unknown): readonly string[] => {
  if (isRefusal(error)) return [];
  throw error;
};

export const openDomainMap = (store: Xenstore): DomainMap => {
  /** Names that somebody asks for, and how many do: they are looked at whether they can be listed or not. */
  const wanted = new Map<VmName, number>();
  const wishes = new Subject<void>();
  const changes = merge(store.watch(root), timer(retryMs, retryMs).pipe(take(retries))).pipe(
    share(),
  );

  const read = async (): Promise<Table> => {
    const listed = (await store.list(root).catch(emptyIfRefused)).filter(isDomainMapName);
    const names = [...new Set([...listed, ...wanted.keys()])];
    const values = await store.readAll(names.map((name) => `${root}/${name}`));
    const domids = values.map(parseDomid);
    const namedOf = (domid: number | undefined): Named => {
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
        // For a table that was read before the name was asked for.
        queueMicrotask(() => wishes.next());
        return tables.pipe(
          map((table) => table.get(name)),
          filter((named) => named !== undefined),
          distinctUntilChanged(),
          finalize(() => want(name, -1)),
        );
      }),
    names: async () => {
      const found = new Map<number, VmName>();
      for (const [name, named] of await read())
        if (typeof named === 'number') found.set(named, name);
      return found;
    },
  };
};
