/** Delays the next attempt at a link, if earlier links did not last. */
import type { Clock } from '../../system/clock.ts';

/** An attempt that began this long ago counts as a success. */
const goodMs = 10_000;
const firstMs = 50;
/** If both agents run, a link must be up within one second. */
const longestMs = 800;

export type ReconnectBackoff = {
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
      const dueMs = failures <= 1 ? 0 : Math.min(firstMs * 2 ** (failures - 2), longestMs);
      if (dueMs > since)
        await new Promise<void>((resolve) => void clock.after(dueMs - since, resolve));
      startedAt = clock.now();
    },
  };
};
