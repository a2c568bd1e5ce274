/** Triggers and runs of work that never overlap; the clock is a fake. */
import { Subject } from 'rxjs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { singleFlight } from '../../src/system/single-flight.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Work that takes `ms` per run. `spans` holds the start and the end of each run. */
const opened = (ms: number) => {
  const triggers = new Subject<void>();
  const spans: [start: number, end: number | undefined][] = [];
  const work = async (): Promise<void> => {
    const span: (typeof spans)[number] = [performance.now(), undefined];
    spans.push(span);
    await new Promise((resolve) => setTimeout(resolve, ms));
    span[1] = performance.now();
  };
  triggers.pipe(singleFlight(work)).subscribe();
  const restsMs = (): number[] =>
    spans.slice(1).map(([start], index) => start - (spans[index]?.[1] ?? Number.NaN));
  return { trigger: () => triggers.next(), spans, restsMs };
};

test('triggers during a run cause one more run', async () => {
  const { trigger, spans } = opened(10);
  for (let count = 0; count < 5; count += 1) trigger();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(spans).toHaveLength(2);
});

test('short runs of 12 ms in total follow each other without a rest', async () => {
  const { trigger, restsMs } = opened(4);
  for (let ms = 0; ms < 12; ms += 1) {
    trigger();
    await vi.advanceTimersByTimeAsync(1);
  }
  await vi.advanceTimersByTimeAsync(100);
  expect(restsMs().slice(0, 2)).toEqual([0, 0]);
});

test('under many triggers, long runs rest for 5 ms', async () => {
  const { trigger, restsMs } = opened(30);
  for (let ms = 0; ms < 200; ms += 1) {
    trigger();
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(restsMs().length).toBeGreaterThan(3);
  expect(new Set(restsMs())).toEqual(new Set([5]));
});
