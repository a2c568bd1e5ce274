import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/system/clock.ts';
import { within } from '../../src/system/deadline.ts';
import { deferred } from '../../src/system/deferred.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const openWork = () => ({ clock: createFakeClock(), work: deferred<string>() });

/** Stops this thread. */
const stop = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

test('work in time gives its result and stops the timer', async () => {
  const { clock, work } = openWork();
  const result = within(clock, 100, work.promise, () => 'late');
  clock.advance(99);
  work.resolve('done');
  expect(await result).toBe('done');
  await Promise.resolve();
  expect(clock.pending()).toBe(0);
});

test('work that fails in time rejects and stops the timer', async () => {
  const { clock, work } = openWork();
  const result = within(clock, 100, work.promise, () => 'late');
  work.reject(new Error('refused'));
  await expect(result).rejects.toThrow('refused');
  expect(clock.pending()).toBe(0);
});

test('late work is replaced at the deadline, and its failure is ignored', async () => {
  const { clock, work } = openWork();
  const result = within(clock, 100, work.promise, () => 'late');
  clock.advance(100);
  expect(await result).toBe('late');
  work.reject(new Error('refused'));
  await work.promise.catch(() => {});
});

test('a deadline can reject', async () => {
  const { clock, work } = openWork();
  const result = within(clock, 100, work.promise, () => {
    throw new Error('no answer');
  });
  clock.advance(100);
  await expect(result).rejects.toThrow('no answer');
});

test('an answer that comes while the process is stopped is not late', async () => {
  const ms = 200;
  const result = within(systemClock, ms, stat('/'), () => 'late');
  // The thread that asks the kernel goes on meanwhile.
  stop(2 * ms);
  expect(await result).not.toBe('late');
});

test('that holds for a stop right before the deadline, too', async () => {
  const ms = 1000;
  const { promise, resolve } = deferred<string>();
  const result = within(systemClock, ms, promise, () => 'late');
  setTimeout(() => {
    stat('/').then(() => resolve('in time'));
    stop(ms);
  }, 0.95 * ms);
  expect(await result).toBe('in time');
});
