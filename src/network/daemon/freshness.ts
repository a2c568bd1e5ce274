/** Whether the daemon's knowledge of one part of the kernel is current. */

type Freshness = {
  readonly invalidate: () => void;
  /** The daemon trusts its own changes, and verifies them when there is time. */
  readonly verifyLater: () => void;
  readonly isCurrent: () => boolean;
  readonly isToBeVerified: () => boolean;
  /** Knowledge is current once an observation that began after the last invalidation has ended. */
  readonly observe: (observe: () => Promise<void>) => Promise<void>;
};

export const openFreshness = (): Freshness => {
  let invalidations = 1;
  let observedUpTo = 0;
  let isToBeVerified = false;
  return {
    invalidate: () => {
      invalidations += 1;
    },
    verifyLater: () => {
      isToBeVerified = true;
    },
    isCurrent: () => observedUpTo === invalidations,
    isToBeVerified: () => isToBeVerified,
    observe: async (observe) => {
      const before = invalidations;
      isToBeVerified = false;
      await observe();
      observedUpTo = before;
    },
  };
};
