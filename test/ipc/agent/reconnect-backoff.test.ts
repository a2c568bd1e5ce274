/** The delays between attempts at a link. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openReconnectBackoff } from '../../../src/ipc/agent/reconnect-backoff.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

/** A backoff, and the delay of its next attempt in ms. */
const opened = () => {
  const clock = createFakeClock();
  const backoff = openReconnectBackoff(clock);
  const nextDelay = async (): Promise<number> => {
    const startedAt = clock.now();
    let isDone = false;
    const wait = backoff.wait().then(() => {
      isDone = true;
    });
    for (await setImmediate(); !isDone; await setImmediate()) clock.advance(1);
    await wait;
    return clock.now() - startedAt;
  };
  return { clock, nextDelay };
};

test('the first failure is free; then the delay doubles up to 800 ms', async () => {
  const { nextDelay } = opened();
  const delays: number[] = [];
  for (let attempt = 0; attempt < 9; attempt += 1) delays.push(await nextDelay());
  expect(delays).toEqual([0, 0, 50, 100, 200, 400, 800, 800, 800]);
});

test('time that an attempt took counts as delay', async () => {
  const { clock, nextDelay } = opened();
  for (let attempt = 0; attempt < 4; attempt += 1) await nextDelay();
  clock.advance(150);
  expect(await nextDelay()).toBe(50);
  clock.advance(500);
  expect(await nextDelay()).toBe(0);
});

test('a link that lasted ten seconds ends the backoff', async () => {
  const { clock, nextDelay } = opened();
  for (let attempt = 0; attempt < 6; attempt += 1) await nextDelay();
  clock.advance(10_000);
  expect([await nextDelay(), await nextDelay(), await nextDelay()]).toEqual([0, 0, 50]);
});
