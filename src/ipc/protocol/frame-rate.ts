/** A token bucket for a peer's frames. A peer that sends faster has to wait, and its ring fills. */
import { systemClock } from '../../system/clock.ts';
import { frameBurst, framesPerSecond } from './limits.ts';

/**
 * Returns a function that takes the number of new frames and returns the pause before the next read, in ms.
 * @param now milliseconds of a monotonic clock
 */
export const createFrameRate = (
  now: () => number = systemClock.now,
): ((count: number) => number) => {
  let tokens = frameBurst;
  let filledAt = now();
  return (count) => {
    const at = now();
    tokens = Math.min(frameBurst, tokens + ((at - filledAt) * framesPerSecond) / 1000) - count;
    filledAt = at;
    // The pause lasts until the bucket holds a tenth of the burst: shorter pauses would need too many timers.
    return tokens >= 0 ? 0 : ((frameBurst / 10 - tokens) * 1000) / framesPerSecond;
  };
};
