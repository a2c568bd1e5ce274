/** Which domain has which name: dom0 says so in /ipc/domain-map, and nobody else can. */
import {
  concatMap,
  distinctUntilChanged,
  filter,
  map,
  merge,
  type Observable,
  share,
  startWith,
  take,
  timer,
} from 'rxjs';
import { isVmName, type VmName } from '../config/vm-name.ts';
import { isRefusal } from '../xen/backend.ts';
import type { Xenstore } from '../xen/xenstore.ts';

const root = '/ipc/domain-map';

// A node may become readable only after it was written, of which no event is promised.
const retryMs = 500;
const retries = 20;

/** DOMID_FIRST_RESERVED of Xen's public headers; dom0 has no agent. */
const firstReserved = 0x7ff0;

const parseDomid = (value: string | undefined): number | undefined => {
  if (value === undefined || !/^[1-9]\d{0,4}$/.test(value)) return undefined;
  return Number(value) < firstReserved ? Number(value) : undefined;
};

/** dom0 need not let everybody list the names. */
const emptyIfRefused = (error: unknown): readonly string[] => {
  if (isRefusal(error)) return [];
  throw error;
};

export type DomainMap = {
  /** The domain of that name, first as it is and then whenever it is another; undefined if there is none. */
  readonly domidOf: (name: VmName) => Observable<number | undefined>;
  /** All names by domain; without those of a domain that has several, since then it could choose. */
  readonly names: () => Promise<ReadonlyMap<number, VmName>>;
  /** Emits when some name may be another domain's. */
  readonly changes: Observable<unknown>;
};

export const openDomainMap = (store: Xenstore): DomainMap => {
  const changes = merge(
    store.watch(root),
    timer(retryMs, retryMs).pipe(
      take(retries),
      map(() => root),
    ),
  ).pipe(share());

  const readAll = async (names: readonly string[]) => {
    const values = await store.readAll(names.map((name) => `${root}/${name}`));
    return values.map(parseDomid);
  };

  const names = async (): Promise<ReadonlyMap<number, VmName>> => {
    const listed = (await store.list(root).catch(emptyIfRefused)).filter(isVmName);
    const domids = await readAll(listed);
    const found = new Map<number, VmName>();
    for (const [index, name] of listed.entries()) {
      const domid = domids[index];
      const isUnique = domids.indexOf(domid) === domids.lastIndexOf(domid);
      if (domid !== undefined && isUnique) found.set(domid, name);
    }
    return found;
  };

  return {
    changes,
    names,
    domidOf: (name) =>
      changes.pipe(
        startWith(root),
        filter((path) => !path.startsWith(`${root}/`) || path === `${root}/${name}`),
        concatMap(async () => (await readAll([name]))[0]),
        distinctUntilChanged(),
      ),
  };
};
