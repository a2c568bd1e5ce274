import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/system/clock.ts';
import { within } from '../../src/system/deadline.ts';
import { deferred } from '../../src/system/deferred.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const openWork = () => ({ clock: createFakeClock(), work: deferred<string>() });

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
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * ms);
  expect(await result).not.toBe('late');
});
