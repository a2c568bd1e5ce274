/** The addresses behind the DNS names of policies: resolved beside everything else, and again when their time is up. */
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
  /** From now on exactly these are resolved. */
  readonly want: (names: ReadonlySet<string>) => void;
  /** The last that were found; undefined before that. */
  readonly addressesOf: (name: string) => readonly string[] | undefined;
  /** All that were ever found. */
  readonly everOf: (name: string) => ReadonlySet<string> | undefined;
  /** Emits when some name's addresses are others than before. */
  readonly changes: Observable<void>;
  /** Resolves when each wanted name has been asked for at least once. */
  readonly asked: () => Promise<void>;
  readonly close: () => void;
};

/** A name server's TTL is kept within these, in seconds: neither is it flooded, nor believed for days. */
const shortestS = 5;
const longestS = 3_600;

type Host = {
  addresses: readonly string[] | undefined;
  readonly ever: Set<string>;
  readonly subscription: Subscription;
  readonly answers: Observable<unknown>;
};

/** @param resolve gives undefined if nothing was found: then the last that was found stays */
export const openHostNames = (
  resolve: (name: string) => Promise<Resolution | undefined>,
): HostNames => {
  const hosts = new Map<string, Host>();
  const changes = new Subject<void>();

  const learn = (name: string, addresses: readonly string[] | undefined): void => {
    const host = hosts.get(name);
    if (host === undefined || addresses === undefined) return;
    const isOther = host.addresses?.join() !== addresses.join();
    host.addresses = addresses;
    for (const address of addresses) host.ever.add(address);
    if (isOther) changes.next();
  };

  /** The lookups of one name, each after the TTL of the one before. */
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
    hosts.set(name, { addresses: undefined, ever: new Set(), subscription, answers });
  };

  const forgetExcept = (names: ReadonlySet<string>): void => {
    for (const [name, { subscription }] of hosts) {
      if (names.has(name)) continue;
      subscription.unsubscribe();
      hosts.delete(name);
    }
  };

  return {
    want: (names) => {
      forgetExcept(names);
      for (const name of names) if (!hosts.has(name)) follow(name);
    },
    addressesOf: (name) => hosts.get(name)?.addresses,
    everOf: (name) =>
      hosts.get(name)?.addresses === undefined ? undefined : hosts.get(name)?.ever,
    changes,
    asked: async () => {
      await Promise.all([...hosts.values()].map(({ answers }) => firstValueFrom(answers)));
    },
    close: () => forgetExcept(new Set()),
  };
};
