import { expect, test } from 'vitest';
import { delayAfter } from '../../src/system/backoff.ts';

const delaysFrom = (first: number): readonly number[] =>
  [0, 1, 2, 3, 4, 5].map((more) => delayAfter(first + more, { firstMs: 50, longestMs: 300 }));

test('the delay doubles with each failure, up to the longest one', () => {
  expect(delaysFrom(1)).toEqual([50, 100, 200, 300, 300, 300]);
  expect(delayAfter(5_000, { firstMs: 50, longestMs: 300 })).toBe(300);
});

test('there is no delay before the first failure', () => {
  expect(delaysFrom(-2)).toEqual([0, 0, 0, 50, 100, 200]);
});
