/** A crowd's links appear one after the other: to bring up the first at once would make the rest wait for a whole round. */
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

export type BatchWindow = {
  /**
   * What to do before the next round, if anything: to wait for more links. Each is waited for once while it is to come,
   * and a crowd that goes on and on is served in parts.
   * @param isAnyReady whether there is a link to be brought up @param coming those that netback is about to make
   */
  readonly delayBefore: (
    isAnyReady: boolean,
    coming: readonly string[],
  ) => (() => Promise<void>) | undefined;
};

type Ports = {
  readonly hasLink: (name: string) => boolean;
  /** Emits whenever a link may have appeared. */
  readonly changes: Observable<unknown>;
};

/** Between two links of a crowd is less than a millisecond. */
const stillMs = 5;
const longestMs = 30;

/** To look is cheap, but not for each of many changes. */
const lookMs = 1;

/** Resolves once all of the links are there, or no more of them seem to come. */
const appeared = async (
  links: readonly string[],
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
  let awaited: ReadonlySet<string> = new Set();
  let since: number | undefined;
  return {
    delayBefore: (isAnyReady, coming) => {
      if (!isAnyReady) {
        since = undefined;
        return undefined;
      }
      const now = performance.now();
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
