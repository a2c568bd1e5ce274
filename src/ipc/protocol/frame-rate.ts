/** A token bucket over the frames of a peer: whoever sends more waits, and its ring fills. */
import { frameBurst, framesPerSecond } from './limits.ts';

/** To be called with the number of frames that came; returns the milliseconds for which nothing more is to be read. */
export const createFrameRate = (): ((count: number) => number) => {
  let tokens = frameBurst;
  let filledAt = performance.now();
  return (count) => {
    const now = performance.now();
    tokens = Math.min(frameBurst, tokens + ((now - filledAt) * framesPerSecond) / 1000) - count;
    filledAt = now;
    // Until a tenth of the burst is there again: pauses of a few frames would only cost timers.
    return tokens >= 0 ? 0 : ((frameBurst / 10 - tokens) * 1000) / framesPerSecond;
  };
};
