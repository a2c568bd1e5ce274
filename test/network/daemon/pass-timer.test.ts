import { expect, test } from 'vitest';
import { openPassTimer } from '../../../src/network/daemon/pass-timer.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

/** A pass timer, and the times of its requests in ms. */
const opened = () => {
  const clock = createFakeClock();
  const timer = openPassTimer(clock);
  const times: number[] = [];
  timer.requests.subscribe(() => times.push(clock.now()));
  return { ...timer, clock, times };
};

test('a pass is requested at once, or after the delay', () => {
  const { requeue, requeueAfter, clock, times } = opened();
  requeue();
  requeueAfter(100);
  clock.advance(1_000);
  expect(times).toEqual([0, 100]);
});

test('the earliest of several delayed requests leads to the only pass', () => {
  const { requeueAfter, clock, times } = opened();
  requeueAfter(300);
  requeueAfter(100);
  requeueAfter(200);
  expect(clock.pending()).toBe(1);
  clock.advance(1_000);
  expect(times).toEqual([100]);
});

test('a request after the delayed pass leads to another pass', () => {
  const { requeueAfter, clock, times } = opened();
  requeueAfter(100);
  clock.advance(100);
  requeueAfter(100);
  clock.advance(100);
  expect(times).toEqual([100, 200]);
});
