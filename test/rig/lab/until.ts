import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds; the emulator on a busy machine is slow, and nothing here is to tell how slow. */
const patience = 180_000;
/** Milliseconds; asking costs the emulator more than waiting. */
const pause = 250;

/** Asks again and again until there is an answer; throws with what `what` says if there never is. */
export const until = async <T>(
  probe: () => Promise<T | undefined>,
  what: () => string,
): Promise<T> => {
  const deadline = performance.now() + patience;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${patience / 1000} s: ${what()}`);
    await delay(pause);
  }
};
