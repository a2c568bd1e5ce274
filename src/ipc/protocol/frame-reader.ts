/** Reads the peer's frames from the transport, no faster than their greatest rate. */
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '../../system/clock.ts';
import { type CloseReason, Violation } from './close-reason.ts';
import { createDecoder, type FrameName } from './frame.ts';
import { createFrameRate } from './frame-rate.ts';

type FrameReader = {
  /** Stops for good: all later data is dropped. */
  readonly stop: () => void;
  /** All bytes read so far, including headers. */
  readonly bytes: () => number;
};

type FrameHandlers = {
  /** Called when data comes, before its frames. */
  readonly onData: () => void;
  /** Takes a frame. A Violation that it throws goes to `onViolation`. */
  readonly onFrame: (frame: FrameName, stream: number, payload: Buffer) => void;
  readonly onViolation: (reason: CloseReason) => void;
};

export const startFrameReader = (
  transport: Readable,
  clock: Clock,
  { onData, onFrame, onViolation }: FrameHandlers,
): FrameReader => {
  const frameRate = createFrameRate(clock.now);
  let bytes = 0;
  let stopped = false;
  let pause: Timer | undefined;

  const decode = createDecoder((frame, stream, payload) => {
    if (!stopped) onFrame(frame, stream, payload);
  });

  transport.on('data', (chunk: Buffer) => {
    if (stopped) return;
    onData();
    bytes += chunk.length;
    try {
      const pauseMs = frameRate(decode(chunk));
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
