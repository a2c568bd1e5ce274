/**
 * Limits the processor time that a peer can waste: with bytes that complete no frame, and with calls that are
 * refused at once.
 */

/** The part of one processor that a peer may waste. */
const share = 0.05;
/** Milliseconds that may be wasted at once. */
const burstMs = 100;
/** The most that one event counts: on a busy machine, the measured time contains the time of other processes. */
const mostMs = 20;
/** Milliseconds that an event costs before and after the work that can be measured. */
const eventMs = 0.03;

/**
 * Returns a function that takes the time of one wasted event, and returns the pause before the next read.
 * All times are in milliseconds.
 * @param now milliseconds of a monotonic clock
 */
export const openWasteBudget = (now: () => number): ((spentMs: number) => number) => {
  let left = burstMs;
  let filledAt = now();
  return (spentMs) => {
    const at = now();
    left = Math.min(burstMs, left + (at - filledAt) * share) - Math.min(spentMs, mostMs) - eventMs;
    filledAt = at;
    // The pause lasts until a tenth of the burst is left: shorter pauses would need too many timers.
    return left >= 0 ? 0 : (burstMs / 10 - left) / share;
  };
};
