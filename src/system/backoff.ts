/** The growing delay between attempts that keep failing. */

type Backoff = { readonly firstMs: number; readonly longestMs: number };

/**
 * The delay after this number of failures in a row, in ms: it doubles with each failure, and is 0 before the
 * first one.
 */
export const delayAfter = (failures: number, { firstMs, longestMs }: Backoff): number =>
  failures <= 0 ? 0 : Math.min(firstMs * 2 ** (failures - 1), longestMs);
