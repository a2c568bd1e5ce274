/** Limits the log lines per peer, so that no peer can fill the disk. */

/** A call writes two lines: this allows a burst of 100 calls, and then ten calls per second. */
const burst = 200;
const linesPerSecond = 20;

/** A relay can vouch for any number of names. Beyond this number of buckets, new names share one bucket. */
const mostBuckets = 256;

/**
 * All sources of a relay together may log as much as this number of peers: a few noisy ones do not silence
 * the rest.
 */
const relaySize = 5;

/**
 * Calls `write` if the peer's bucket has a token, and otherwise counts a suppressed line. `write` receives
 * the number of lines suppressed since the last written one, or undefined for none.
 * @param relay the relay that vouches for the peer's name; it has a bucket too
 */
export type RateLimitLog = (
  peer: string,
  write: (suppressed: number | undefined) => void,
  relay?: string,
) => void;

type Bucket = { readonly size: number; tokens: number; at: number; suppressed: number };

/** @param now the current time in ms */
export const openLogRateLimit = (now: () => number): RateLimitLog => {
  const buckets = new Map<string, Bucket>();

  const refill = (bucket: Bucket): void => {
    const refilled = ((now() - bucket.at) / 1000) * linesPerSecond * bucket.size;
    bucket.tokens = Math.min(burst * bucket.size, bucket.tokens + refilled);
    bucket.at = now();
  };

  /** Deletes the full buckets: a full bucket has the same effect as a new one. */
  const dropFullBuckets = (): void => {
    for (const [name, bucket] of buckets) {
      refill(bucket);
      if (bucket.tokens === burst * bucket.size) buckets.delete(name);
    }
  };

  const bucketOf = (name: string, size = 1): Bucket => {
    const bucket = buckets.get(name) ?? { size, tokens: burst * size, at: now(), suppressed: 0 };
    buckets.set(name, bucket);
    refill(bucket);
    return bucket;
  };

  /**
   * Limits the buckets of relayed peers. The others need no limit: there are only as many as links and users.
   */
  const relayedBucketOf = (peer: string, relay: string): Bucket => {
    const own = `${peer} via ${relay}`;
    if (!buckets.has(own) && buckets.size >= mostBuckets) dropFullBuckets();
    const hasPlace = buckets.has(own) || buckets.size < mostBuckets;
    return bucketOf(hasPlace ? own : `others via ${relay}`);
  };

  return (peer, write, relay) => {
    const bucket = relay === undefined ? bucketOf(peer) : relayedBucketOf(peer, relay);
    const spentFrom = [bucket];
    if (relay !== undefined) spentFrom.push(bucketOf(`all via ${relay}`, relaySize));
    if (spentFrom.some(({ tokens }) => tokens < 1)) {
      bucket.suppressed += 1;
      return;
    }
    for (const each of spentFrom) each.tokens -= 1;
    write(bucket.suppressed || undefined);
    bucket.suppressed = 0;
  };
};
