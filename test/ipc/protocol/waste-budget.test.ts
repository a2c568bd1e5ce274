import { expect, test } from 'vitest';
import { openWasteBudget } from '../../../src/ipc/protocol/waste-budget.ts';

const open = () => {
  const clock = { ms: 0 };
  return { clock, spend: openWasteBudget(() => clock.ms) };
};

test('a peer may waste some time at once, and then a twentieth of a processor', () => {
  const { clock, spend } = open();
  let wasted = 0;
  for (let event = 0; event < 20_000; event += 1) {
    const pauseMs = spend(0.47);
    wasted += 0.5;
    clock.ms += 0.5 + pauseMs;
  }
  expect(wasted / clock.ms).toBeCloseTo(0.05, 2);
});

test('there is no pause as long as the burst lasts', () => {
  const { spend } = open();
  const pauses = Array.from({ length: 9 }, () => spend(10));
  expect(pauses).toEqual(Array(9).fill(0));
  expect(spend(10)).toBeGreaterThan(0);
});

test('an event that a busy machine delayed counts for 20 ms at most', () => {
  const { spend } = open();
  expect([spend(5_000), spend(5_000), spend(5_000), spend(5_000)]).toEqual([0, 0, 0, 0]);
  expect(spend(5_000)).toBeLessThan(1_000);
});
