/** Waits for conditions. The only limit is `hangMs`, which ends hung waits. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Milliseconds after which a wait counts as hung: 24 times the longest successful wait, in which the daemon
 * gives up on a link after 10 s.
 */
export const hangMs = 240_000;

const pauseMs = 10;

/**
 * Calls a function again and again until it gives an answer; resolves with the answer.
 * @param what the awaited condition, for the error's text
 * @throws Error after `hangMs`
 */
export const untilFound = async <T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T> => {
  const deadline = performance.now() + hangMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${hangMs / 1000} s: ${what}`);
    await delay(pauseMs);
  }
};

/** Waits until the condition holds; see `untilFound`. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> => {
  await untilFound(what, async () => (await condition()) || undefined);
};
