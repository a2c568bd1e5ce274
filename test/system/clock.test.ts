import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Clock, sleep, systemClock } from '../../src/system/clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const makeSystem = (): { clock: Clock; advance: (ms: number) => void } => ({
  clock: systemClock,
  advance: (ms) => vi.advanceTimersByTime(ms),
});

const makeFake = (): { clock: Clock; advance: (ms: number) => void } => {
  const clock = createFakeClock();
  return { clock, advance: clock.advance };
};

// The fake keeps the promises of the clock that it stands for.
describe.each([
  ['the system clock', makeSystem],
  ['the fake clock', makeFake],
] as const)('%s', (_name, make) => {
  test('calls back once after the time', () => {
    const { clock, advance } = make();
    const callback = vi.fn();
    const from = clock.now();
    clock.after(100, callback);
    advance(99);
    expect(callback).not.toHaveBeenCalled();
    advance(1000);
    expect(callback).toHaveBeenCalledOnce();
    expect(clock.now() - from).toBe(1099);
  });

  test('calls back at each interval until the timer is cancelled', () => {
    const { clock, advance } = make();
    const at: number[] = [];
    const from = clock.now();
    const timer = clock.every(10, () => at.push(clock.now() - from)).unref();
    advance(35);
    timer.cancel();
    advance(100);
    expect(at).toEqual([10, 20, 30]);
  });

  test('does not call back for a cancelled timer', () => {
    const { clock, advance } = make();
    const callback = vi.fn();
    const timer = clock.after(10, callback).unref();
    timer.cancel();
    advance(100);
    timer.cancel();
    expect(callback).not.toHaveBeenCalled();
  });

  test('calls back in the order of the times', () => {
    const { clock, advance } = make();
    const order: string[] = [];
    clock.after(20, () => order.push('second'));
    clock.after(10, () => {
      order.push('first');
      clock.after(5, () => order.push('started by the first'));
    });
    advance(30);
    expect(order).toEqual(['first', 'started by the first', 'second']);
  });
});

test('sleeps until the time is over', async () => {
  const clock = createFakeClock();
  let isAwake = false;
  const sleeping = sleep(clock, 100).then(() => {
    isAwake = true;
  });
  clock.advance(99);
  await Promise.resolve();
  expect(isAwake).toBe(false);
  clock.advance(1);
  await sleeping;
});

test('a timer of the system clock holds the process until unref', () => {
  vi.useRealTimers();
  const before = process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
  const activeTimers = () =>
    process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length - before;
  const timers = [systemClock.after(1e6, () => {}), systemClock.every(1e6, () => {})];
  expect(activeTimers()).toBe(2);
  for (const timer of timers) timer.unref();
  expect(activeTimers()).toBe(0);
  for (const timer of timers) timer.cancel();
});
