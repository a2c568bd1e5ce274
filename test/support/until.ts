/** Waits on conditions. No wait has a limit of its own: the one limit here only ends what hangs. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Milliseconds after which a wait counts as hung. The longest wait that succeeds is for the daemon to give up on a
 * link, which it does after 10 s; this is 24 times that.
 */
export const hangMs = 240_000;

const pauseMs = 10;

/**
 * Asks again and again until there is an answer, and resolves with it.
 * @param what the thing that is waited for, for the error
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
