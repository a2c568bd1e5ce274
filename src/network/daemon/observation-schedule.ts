/** Decides when the daemon observes links and elements. */

import type { ObservedState } from './observed-state.ts';

type Facts = {
  readonly due: ReturnType<ObservedState['due']>;
  /** False while a worker changes links or elements. */
  readonly isQuiet: boolean;
  /** False while all vifs must stay closed. */
  readonly mayOpen: boolean;
};

type Observations = {
  readonly links: boolean;
  readonly elements: boolean;
  /** The ms until this question is worth a new answer; undefined if an event leads to it. */
  readonly retryInMs?: number;
};

type ObservationSchedule = {
  /** Records that a worker has just ended its work. */
  readonly worked: () => void;
  /**
   * Returns what to observe now. Nothing is observed while workers change something, nor right after that: an
   * observation can wait; vifs that come in a burst, as at boot, would have to wait for it. State that has
   * not been current for `longestUnseenMs` is observed in any case.
   */
  readonly next: (facts: Facts) => Observations;
};

/** The rest after the last work before state that is not current is observed. */
const quietMs = 30;

/**
 * The rest after the last work before the daemon's own changes are verified. They are most likely in place,
 * so vifs that wait for something else go first.
 */
const verificationMs = 500;

/**
 * State that is not current is observed after this time in any case: repairs must not wait for a burst to
 * end.
 */
const longestUnseenMs = 300;

const nothing: Observations = { links: false, elements: false };

/** @param clock milliseconds of a monotonic clock */
export const openObservationSchedule = (clock: () => number): ObservationSchedule => {
  let unseenSince: number | undefined;
  let lastWork = Number.NEGATIVE_INFINITY;
  return {
    worked: () => {
      lastWork = clock();
    },
    next: ({ due: { links, verification, ...due }, isQuiet, mayOpen }) => {
      // While all vifs must stay closed, the tables may be missing.
      const elements = due.elements && mayOpen;
      const isStale = links || elements;
      if (!isStale && !verification) return nothing;
      const now = clock();
      unseenSince = isStale ? (unseenSince ?? now) : undefined;
      const overdueInMs = (unseenSince ?? now) + longestUnseenMs + 1 - now;
      const isOverdue = unseenSince !== undefined && overdueInMs <= 0;
      const restMs = lastWork + (isStale ? quietMs : verificationMs) - now;
      // The running work may hang, and its end be the only event.
      if (!isOverdue && !isQuiet) return isStale ? { ...nothing, retryInMs: overdueInMs } : nothing;
      if (!isOverdue && restMs > 0) return { ...nothing, retryInMs: restMs };
      unseenSince = undefined;
      const mayVerify = verification && now >= lastWork + verificationMs && mayOpen;
      return { links, elements: elements || mayVerify };
    },
  };
};
