/** The addresses of the DNS names in policies, resolved in the background and again when their TTL ends. */
import {
  defer,
  firstValueFrom,
  from,
  map,
  type Observable,
  ReplaySubject,
  repeat,
  Subject,
  type Subscription,
  tap,
  timer,
} from 'rxjs';
import type { Resolution } from '../kernel/resolver.ts';

export type HostNames = {
  /** Resolves exactly these names from now on. */
  readonly want: (names: ReadonlySet<string>) => void;
  /** The addresses found last; undefined until a lookup finds some. */
  readonly addressesOf: (name: string) => readonly string[] | undefined;
  /**
   * All addresses found so far; none for a name that became wanted later. Undefined for a name that was wanted
   * from the start, until a lookup finds some: an earlier daemon may have found others.
   */
  readonly everOf: (name: string) => ReadonlySet<string> | undefined;
  /**
   * For flows that were there at the start: an earlier daemon may have found any address for a name that was
   * wanted from the start. An address that is asked for counts as found from then on.
   */
  readonly pastOf: (name: string) => Pick<ReadonlySet<string>, 'has'> | undefined;
  /** Emits when a name's addresses have changed. */
  readonly changes: Observable<void>;
  /** Resolves when the first lookup of each wanted name has ended, with or without addresses. */
  readonly asked: () => Promise<void>;
  readonly close: () => void;
};

/** Limits for a TTL, in seconds: the daemon neither floods a name server nor trusts an answer for days. */
const shortestS = 5;
const longestS = 3_600;

type Host = {
  /** Whether an earlier daemon may have resolved the name. */
  readonly mayHavePast: boolean;
  addresses: readonly string[] | undefined;
  readonly ever: Set<string>;
  readonly subscription: Subscription;
  readonly answers: Observable<unknown>;
};

/** @param resolve gives undefined if it finds no address; the addresses found last then stay */
export const openHostNames = (
  resolve: (name: string) => Promise<Resolution | undefined>,
): HostNames => {
  const hosts = new Map<string, Host>();
  const changes = new Subject<void>();
  let isStart = true;

  const learn = (name: string, addresses: readonly string[] | undefined): void => {
    const host = hosts.get(name);
    if (host === undefined || addresses === undefined) return;
    const isOther = host.addresses?.join() !== addresses.join();
    host.addresses = addresses;
    for (const address of addresses) host.ever.add(address);
    if (isOther) changes.next();
  };

  /** The lookups of one name; each follows when the TTL of the previous answer ends. */
  const lookups = (name: string): Observable<readonly string[] | undefined> => {
    let restS = shortestS;
    return defer(() => from(resolve(name))).pipe(
      map((found) => {
        restS = Math.min(Math.max(found?.ttlS ?? 0, shortestS), longestS);
        return found?.addresses;
      }),
      repeat({ delay: () => timer(restS * 1000) }),
    );
  };

  const follow = (name: string): void => {
    const answers = new ReplaySubject<unknown>(1);
    const subscription = lookups(name)
      .pipe(tap((addresses) => learn(name, addresses)))
      .subscribe(answers);
    const ever = new Set<string>();
    hosts.set(name, { mayHavePast: isStart, addresses: undefined, ever, subscription, answers });
  };

  const forgetExcept = (names: ReadonlySet<string>): void => {
    for (const [name, { subscription }] of hosts) {
      if (names.has(name)) continue;
      subscription.unsubscribe();
      hosts.delete(name);
    }
  };

  const everOf: HostNames['everOf'] = (name) => {
    const host = hosts.get(name);
    return host?.mayHavePast && host.addresses === undefined ? undefined : host?.ever;
  };

  return {
    want: (names) => {
      forgetExcept(names);
      for (const name of names) if (!hosts.has(name)) follow(name);
      isStart = false;
    },
    addressesOf: (name) => hosts.get(name)?.addresses,
    everOf,
    pastOf: (name) => {
      const host = hosts.get(name);
      return host?.mayHavePast
        ? { has: (address) => host.ever.add(address).has(address) }
        : everOf(name);
    },
    changes,
    asked: async () => {
      await Promise.all([...hosts.values()].map(({ answers }) => firstValueFrom(answers)));
    },
    close: () => forgetExcept(new Set()),
  };
};
