import { setTimeout as delay } from 'node:timers/promises';
import { hangMs } from '../../support/until.ts';

/**
 * Milliseconds after which anything in the lab counts as hung. The emulator makes programs ten times slower, and the
 * longest that succeeds, dom0's script that boots all VMs, is minutes of that.
 */
export const labHangMs = 10 * hangMs;

/** Milliseconds; asking costs the emulator more than waiting. */
const pause = 250;

/** Asks again and again until there is an answer; throws with what `what` says if there never is. */
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
