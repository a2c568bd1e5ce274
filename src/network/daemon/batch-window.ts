/**
 * A short wait for more links before links are brought up. The links of a burst appear one after the other:
 * if the first were brought up at once, the others would wait for a whole round.
 */
import {
  auditTime,
  debounceTime,
  filter,
  firstValueFrom,
  merge,
  type Observable,
  startWith,
  timer,
} from 'rxjs';
import type { LinkName } from '../../address/link-name.ts';
import { systemClock } from '../../system/clock.ts';

export type BatchWindow = {
  /**
   * Returns the wait that precedes the next round; undefined if the round may start now. A link that is about
   * to appear is awaited only once, and the waits before one round take 30 ms at most: an endless burst is
   * served in parts.
   * @param isAnyReady whether a link is ready to be brought up
   * @param coming links that netback is about to create
   */
  readonly delayBefore: (
    isAnyReady: boolean,
    coming: readonly LinkName[],
  ) => (() => Promise<void>) | undefined;
};

type Ports = {
  readonly hasLink: (name: LinkName) => boolean;
  /** Emits whenever a link may have appeared. */
  readonly changes: Observable<unknown>;
};

/** The wait ends after this time without a change: two links of a burst are less than a millisecond apart. */
const stillMs = 5;
const longestMs = 30;

/** The least time between two checks of all links: a check is cheap, but not at each of many changes. */
const lookMs = 1;

/** Resolves once all the links exist, no change comes for `stillMs`, or `withinMs` are over. */
const appeared = async (
  links: readonly LinkName[],
  { hasLink, changes }: Ports,
  withinMs: number,
): Promise<void> => {
  const areThere = (): boolean => links.every(hasLink);
  if (areThere()) return;
  await firstValueFrom(
    merge(
      timer(withinMs),
      changes.pipe(startWith(undefined), debounceTime(stillMs)),
      changes.pipe(auditTime(lookMs), filter(areThere)),
    ),
  );
};

export const openBatchWindow = (ports: Ports): BatchWindow => {
  let awaited: ReadonlySet<LinkName> = new Set();
  let since: number | undefined;
  return {
    delayBefore: (isAnyReady, coming) => {
      if (!isAnyReady) {
        since = undefined;
        return undefined;
      }
      const now = systemClock.now();
      since ??= now;
      const leftMs = since + longestMs - now;
      const fresh = coming.filter((link) => !awaited.has(link));
      awaited = new Set(coming);
      if (fresh.length > 0 && leftMs > 0) return () => appeared(fresh, ports, leftMs);
      since = undefined;
      return undefined;
    },
  };
};
