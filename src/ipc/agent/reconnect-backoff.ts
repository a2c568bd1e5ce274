/** Delays the next attempt at a link, if earlier links did not last. */
import { delayAfter } from '../../system/backoff.ts';
import { type Clock, sleep } from '../../system/clock.ts';

/** An attempt that began this long ago counts as a success. */
const goodMs = 10_000;
/** If both agents run, a link must be up within one second. */
const delays = { firstMs: 50, longestMs: 800 };

type ReconnectBackoff = {
  /** Waits for the delay that is due, then starts to time a new attempt. */
  readonly wait: () => Promise<void>;
};

export const openReconnectBackoff = (clock: Clock): ReconnectBackoff => {
  let startedAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  return {
    wait: async () => {
      const since = clock.now() - startedAt;
      failures = since >= goodMs ? 0 : failures + 1;
      // The first failure may come from the peer's restart: the next attempt starts at once.
      const dueMs = delayAfter(failures - 1, delays);
      if (dueMs > since) await sleep(clock, dueMs - since);
      startedAt = clock.now();
    },
  };
};
