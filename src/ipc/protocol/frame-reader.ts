/** Reads the peer's frames from the transport, no faster than a useful peer sends. */
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '../../system/clock.ts';
import { type CloseReason, Violation } from './close-reason.ts';
import { createDecoder, type FrameName } from './frame.ts';
import { frameBurst, framesPerSecond } from './limits.ts';
import { openWasteBudget } from './waste-budget.ts';

/**
 * A token bucket for the peer's frames: a peer that sends faster has to wait, and its ring fills. Returns a
 * function that takes the number of new frames and returns the pause before the next read, in ms.
 * @param now milliseconds of a monotonic clock
 */
export const createFrameRate = (now: () => number): ((count: number) => number) => {
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

type FrameReader = {
  /** Stops for good: all later data is dropped. */
  readonly stop: () => void;
  /** All bytes read so far, including headers. */
  readonly bytes: () => number;
};

type FrameHandlers = {
  /** Called when data comes, before its frames. */
  readonly onData: () => void;
  /** Takes a frame; false if its work was wasted. A Violation that it throws goes to `onViolation`. */
  readonly onFrame: (frame: FrameName, stream: number, payload: Buffer) => boolean;
  readonly onViolation: (reason: CloseReason) => void;
};

export const startFrameReader = (
  transport: Readable,
  clock: Clock,
  { onData, onFrame, onViolation }: FrameHandlers,
): FrameReader => {
  const frameRate = createFrameRate(clock.now);
  const wasteBudget = openWasteBudget(clock.now);
  let isWasted = false;
  let bytes = 0;
  let stopped = false;
  let pause: Timer | undefined;

  const decode = createDecoder((frame, stream, payload) => {
    if (!stopped && !onFrame(frame, stream, payload)) isWasted = true;
  });

  transport.on('data', (chunk: Buffer) => {
    if (stopped) return;
    const start = clock.now();
    onData();
    bytes += chunk.length;
    isWasted = false;
    try {
      const count = decode(chunk);
      const wasteMs = isWasted || count === 0 ? wasteBudget(clock.now() - start) : 0;
      const pauseMs = Math.max(frameRate(count), wasteMs);
      if (pauseMs === 0 || stopped) return;
      transport.pause();
      pause = clock.after(pauseMs, () => transport.resume());
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      onViolation({ code: error.code, text: error.message });
    }
  });

  return {
    stop: () => {
      stopped = true;
      pause?.cancel();
    },
    bytes: () => bytes,
  };
};
