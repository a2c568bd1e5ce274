/** The addresses of a DNS name in one family: a union of the answers over time, each for its own TTL. */

/** `none`: the name server says that there are none. `failed`: it says nothing. */
export type Answer =
  | { readonly kind: 'addresses'; readonly records: readonly Resolved[] }
  | { readonly kind: 'none' | 'failed' };

type Resolved = { readonly address: string; readonly ttlS: number };

/** By address: when it ends, in ms of a monotonic clock. */
export type NameAddresses = ReadonlyMap<string, number>;

/** Limits for a TTL, in seconds: the daemon neither floods a name server nor trusts an answer for days. */
const shortestS = 5;
const longestS = 3_600;

/** The most addresses of a name in one family. The rules of a policy contain each of them. */
const most = 64;

const limited = (ttlS: number): number => Math.min(Math.max(ttlS, shortestS), longestS);

/**
 * Returns the addresses after an answer. A failure changes nothing; it is never "has none".
 * @param nowMs ms of the same clock
 */
export const learn = (known: NameAddresses, answer: Answer, nowMs: number): NameAddresses => {
  if (answer.kind === 'failed') return known;
  const records = answer.kind === 'addresses' ? answer.records : [];
  const ends = new Map([...known].filter(([, end]) => end > nowMs));
  for (const { address, ttlS } of records) {
    const end = nowMs + limited(ttlS) * 1000;
    ends.set(address, Math.max(end, ends.get(address) ?? 0));
  }
  return new Map([...ends].sort(([, a], [, b]) => b - a).slice(0, most));
};

/** Seconds until the next lookup. */
export const nextLookupS = (answer: Answer): number =>
  answer.kind === 'addresses'
    ? limited(Math.min(...answer.records.map(({ ttlS }) => ttlS)))
    : shortestS;
