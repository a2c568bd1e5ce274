/** So many log lines for one peer and no more: what it does must not fill the disk. */

/** A call makes two lines: this allows for a burst of some, and for one each tenth of a second on and on. */
const burst = 200;
const linesPerSecond = 20;

/** A relay could vouch for more and more names: those that come after so many share one bucket. */
const mostBuckets = 256;

/** All that a relay vouches for has as much as so many peers: as many may make all the noise they can before others go unheard. */
const relaySize = 5;

/**
 * Runs `write`, or counts it; `write` is told how many lines were left out since the last one, if any were.
 * @param relay whose word the peer's name is, if it is somebody's: it has a bucket, too
 */
export type RateLimitLog = (
  peer: string,
  write: (suppressed: number | undefined) => void,
  relay?: string,
) => void;

type Bucket = { readonly size: number; tokens: number; at: number; suppressed: number };

/** @param now in ms */
export const openLogRateLimit = (now: () => number): RateLimitLog => {
  const buckets = new Map<string, Bucket>();

  const refill = (bucket: Bucket): void => {
    const refilled = ((now() - bucket.at) / 1000) * linesPerSecond * bucket.size;
    bucket.tokens = Math.min(burst * bucket.size, bucket.tokens + refilled);
    bucket.at = now();
  };

  /** What is as a new one would be need not be kept. */
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

  /** Those without a relay are as few as there are links and users, and each has its own. */
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
