import { setTimeout as delay } from 'node:timers/promises';
import { hangMs } from '../../support/until.ts';

/**
 * Milliseconds after which any wait in the lab counts as hung. The emulator makes programs ten times slower;
 * the longest successful command, dom0's script that boots all VMs, takes minutes there.
 */
export const labHangMs = 10 * hangMs;

/** Milliseconds between two attempts; an attempt costs the emulator more than the wait. */
const pause = 250;

/**
 * Calls a function again and again until it gives an answer.
 * @throws Error with the text from `what` after `labHangMs`
 */
export const until = async <T>(
  probe: () => Promise<T | undefined>,
  what: () => string,
): Promise<T> => {
  const deadline = performance.now() + labHangMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline)
      throw new Error(`not within ${labHangMs / 1000} s: ${what()}`);
    await delay(pause);
  }
};
