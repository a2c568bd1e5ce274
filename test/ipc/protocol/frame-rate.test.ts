import { afterEach, expect, test, vi } from 'vitest';
import { createFrameRate } from '../../../src/ipc/protocol/frame-reader.ts';
import { frameBurst, framesPerSecond } from '../../../src/ipc/protocol/limits.ts';
import { creditOf, frameBytes, muxAndPeer, openPayload } from './raw-peer.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a burst passes, and more frames wait until they are earned', () => {
  vi.useFakeTimers();
  const frameRate = createFrameRate(() => performance.now());
  expect(frameRate(frameBurst)).toBe(0);
  // The wait covers a tenth of a second's frames, and a tenth of the burst.
  expect(frameRate(framesPerSecond / 10)).toBe(100 + (frameBurst / 10 / framesPerSecond) * 1000);
  vi.advanceTimersByTime(125);
  expect(frameRate(0)).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(frameRate(frameBurst)).toBe(0);
  expect(frameRate(1)).toBeGreaterThan(0);
});

test('a flood of frames is read slowly, and the link stays open', async () => {
  const { transport, peer } = await muxAndPeer('server');
  const pause = vi.spyOn(transport, 'pause');
  peer.send('open', 1, openPayload);
  const count = 2 * frameBurst;
  const began = performance.now();
  peer.transport.write(
    Buffer.concat(new Array(count).fill(frameBytes('credit', 1, creditOf(1, 1)))),
  );
  expect(await peer.verdict()).toBe('legal');
  // The time alone proves nothing: a slow machine takes as long without a pause.
  expect(pause).toHaveBeenCalledOnce();
  const earned = ((count - frameBurst) * 1000) / framesPerSecond;
  expect(performance.now() - began).toBeGreaterThan(earned * 0.9);
});
