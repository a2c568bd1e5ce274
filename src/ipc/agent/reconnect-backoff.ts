/** How long to wait before the next attempt at a link: not at all, unless the ones before did not last. */
import { setTimeout as delay } from 'node:timers/promises';

/** A link that lived this long was a good one. */
const goodMs = 10_000;
const firstMs = 50;
/** Both ends being up, a link must be there within a second. */
const longestMs = 800;

export type ReconnectBackoff = {
  /** Waits as long as is due, then counts as the start of an attempt. */
  readonly wait: () => Promise<void>;
};

export const openReconnectBackoff = (): ReconnectBackoff => {
  let startedAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  return {
    wait: async () => {
      const since = performance.now() - startedAt;
      failures = since >= goodMs ? 0 : failures + 1;
      // The first that fails may be the other end's restart: it is worth another one at once.
      const dueMs = failures <= 1 ? 0 : Math.min(firstMs * 2 ** (failures - 2), longestMs);
      if (dueMs > since) await delay(dueMs - since);
      startedAt = performance.now();
    },
  };
};
