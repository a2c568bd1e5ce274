/** The retries of a step that fails; the clock is a fake. */
import { Subject } from 'rxjs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { retryOnTrigger } from '../../../src/ipc/agent/retry-on-trigger.ts';
import { XenstoreError } from '../../../src/xen/xenstore.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs a step that fails with the errors in their order, and then succeeds. */
const opened = (...errors: readonly Error[]) => {
  const left = [...errors];
  const starts: number[] = [];
  const reports: (string | undefined)[] = [];
  const triggers = new Subject<void>();
  const fail = vi.fn();
  const step = async (): Promise<void> => {
    starts.push(performance.now());
    const error = left.shift();
    if (error !== undefined) throw error;
  };
  retryOnTrigger(triggers, step, (reason) => reports.push(reason)).subscribe({ error: fail });
  const restsMs = (): number[] => starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
  return { trigger: () => triggers.next(), starts, restsMs, reports, fail };
};

const full = (): Error => new XenstoreError('ENOSPC', 'write', '/a');

test('repeats a failed step after 250 ms, then after twice the time, up to 5 s', async () => {
  const { trigger, restsMs, reports } = opened(...Array.from({ length: 7 }, full));
  trigger();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(restsMs()).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  expect(reports.slice(0, 7).every((reason) => reason?.includes('quota is full'))).toBe(true);
  expect(reports.slice(7)).toEqual([undefined]);
});

test('a trigger runs the step at once, and the retry still comes', async () => {
  const { trigger, restsMs } = opened(full());
  trigger();
  await vi.advanceTimersByTimeAsync(100);
  trigger();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(restsMs()).toEqual([100, 150]);
});

test('a lost connection ends the retries', async () => {
  const lost = new XenstoreError('EBADF', 'write', '/a');
  const { trigger, starts, fail } = opened(lost);
  trigger();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(starts).toHaveLength(1);
  expect(fail).toHaveBeenCalledWith(lost);
});
