/**
 * Repairs of damage by other programs: each is made at once, unless the same subject is damaged repeatedly.
 */
import type { Problem } from '../../errors.ts';
import { delayAfter } from '../../system/backoff.ts';

const windowMs = 60_000;
const mostInWindow = 5;
const waits = { firstMs: 1_000, longestMs: 60_000 };

type Repairs = {
  /** The times of the last repairs, the newest last. */
  readonly times: readonly number[];
  /** Counts each repair from the first one that exceeded `mostInWindow`; 0 before that. */
  readonly excess: number;
  readonly what: string;
};

export type RepairBackoff = {
  /** Records a repair of `subject`; `what` names the damage. */
  readonly record: (subject: string, what: string) => void;
  /** The ms until the subject may be repaired again; 0 if it may be repaired now. */
  readonly waitMs: (subject: string) => number;
  readonly problemOf: (subject: string) => Problem | undefined;
};

const backoffMs = (excess: number): number => delayAfter(excess, waits);

/** @param now milliseconds of a monotonic clock */
export const openRepairBackoff = (now: () => number): RepairBackoff => {
  const all = new Map<string, Repairs>();

  /** The subject's repairs. They are forgotten if no repair follows within a minute after the backoff. */
  const find = (subject: string): Repairs | undefined => {
    const repairs = all.get(subject);
    const last = repairs?.times.at(-1);
    if (repairs === undefined || last === undefined) return undefined;
    if (now() - last <= windowMs + backoffMs(repairs.excess)) return repairs;
    all.delete(subject);
    return undefined;
  };

  return {
    record: (subject, what) => {
      for (const other of all.keys()) if (find(other) !== undefined) break;
      const before = find(subject);
      all.delete(subject);
      const times = [...(before?.times ?? []), now()].slice(-(mostInWindow + 1));
      const isTooOften = times.length > mostInWindow && now() - (times[0] ?? 0) <= windowMs;
      const excess = before?.excess ?? 0;
      all.set(subject, { times, what, excess: isTooOften || excess > 0 ? excess + 1 : 0 });
    },
    waitMs: (subject) => {
      const repairs = find(subject);
      if (repairs === undefined) return 0;
      return Math.max(0, (repairs.times.at(-1) ?? 0) + backoffMs(repairs.excess) - now());
    },
    problemOf: (subject) => {
      const { excess = 0, what } = find(subject) ?? {};
      if (excess === 0) return undefined;
      const waitS = backoffMs(excess) / 1000;
      const text = `another program likely undoes each repair: ${what}; now repaired at most every ${waitS} s`;
      return { code: 'DRIFT_FOUGHT', text };
    },
  };
};
