/** The addresses of the DNS names in policies, resolved in the background and again when their TTL ends. */
import {
  combineLatest,
  defer,
  firstValueFrom,
  from,
  type Observable,
  ReplaySubject,
  repeat,
  Subject,
  Subscription,
  tap,
  timer,
} from 'rxjs';
import type { Family } from '../../address/prefix.ts';
import { systemClock } from '../../system/clock.ts';
import { type Answer, learn, type NameAddresses, nextLookupS } from '../policy/name-addresses.ts';

export type HostNames = {
  /** Resolves exactly these names from now on. */
  readonly want: (names: ReadonlySet<string>) => void;
  /** The addresses found, each until its TTL ends; undefined until a lookup finds some. */
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

/** A name server may answer with a part of the addresses, in turn: it is asked until an answer brings no new one. */
const mostAnswers = 16;

/** The most addresses that are remembered of one name, for flows that live on. */
const mostEver = 4_096;

type Host = {
  /** Whether an earlier daemon may have resolved the name. */
  readonly mayHavePast: boolean;
  readonly known: Record<Family, NameAddresses>;
  addresses: readonly string[] | undefined;
  readonly ever: Set<string>;
  readonly subscription: Subscription;
  readonly answers: Observable<unknown>;
};

const families = [4, 6] as const satisfies readonly Family[];

const remember = (ever: Set<string>, addresses: readonly string[]): void => {
  for (const address of addresses) {
    ever.delete(address);
    ever.add(address);
  }
  for (const oldest of ever) {
    if (ever.size <= mostEver) return;
    ever.delete(oldest);
  }
};

type Resolve = (name: string, family: Family) => Promise<Answer>;

/** An answer changes the addresses of a name in one of these ways; `new` brings one that was not known. */
type Change = 'none' | 'gone' | 'new';

/** Takes an answer. */
const take = (host: Host, family: Family, answer: Answer): Change => {
  const before = host.known[family];
  const now = learn(before, answer, systemClock.now());
  const all = { ...host.known, [family]: now };
  const addresses = families.flatMap((each) => [...all[each].keys()]).sort();
  // A name that has lost all its addresses keeps the last ones: a drop rule would otherwise open.
  if (addresses.length === 0) return 'none';
  host.known[family] = now;
  remember(host.ever, addresses);
  if (host.addresses?.join() === addresses.join()) return 'none';
  host.addresses = addresses;
  return [...now.keys()].some((address) => !before.has(address)) ? 'new' : 'gone';
};

/**
 * Asks until an answer brings nothing new; resolves with the seconds until the next lookup.
 * @param learned called with each answer
 */
const lookUp = async (ask: () => Promise<Answer>, learned: (answer: Answer) => Change) => {
  let restS = Number.POSITIVE_INFINITY;
  for (let count = 0; count < mostAnswers; count += 1) {
    const answer = await ask();
    restS = Math.min(restS, nextLookupS(answer));
    if (learned(answer) !== 'new') break;
  }
  return restS;
};

/** Looks up again and again; each lookup follows when the TTL of the previous answer ends. */
const lookups = (once: () => Promise<number>): Observable<unknown> => {
  let restS = 0;
  return defer(() => from(once())).pipe(
    tap((seconds) => {
      restS = seconds;
    }),
    repeat({ delay: () => timer(restS * 1000) }),
  );
};

/** @param resolve asks once, and never rejects */
export const openHostNames = (resolve: Resolve): HostNames => {
  const hosts = new Map<string, Host>();
  const changes = new Subject<void>();
  let isStart = true;

  const learned = (name: string, family: Family, answer: Answer): Change => {
    const host = hosts.get(name);
    const change = host === undefined ? 'none' : take(host, family, answer);
    if (change !== 'none') changes.next();
    return change;
  };

  const follow = (name: string): void => {
    const answers = new ReplaySubject<unknown>(1);
    const known = { 4: new Map(), 6: new Map() };
    const started = { mayHavePast: isStart, addresses: undefined, ever: new Set<string>(), known };
    const subscription = new Subscription();
    hosts.set(name, { ...started, subscription, answers });
    const follows = families.map((family) =>
      lookups(() =>
        lookUp(
          () => resolve(name, family),
          (answer) => learned(name, family, answer),
        ),
      ),
    );
    subscription.add(combineLatest(follows).subscribe(answers));
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
