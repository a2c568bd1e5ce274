import assert from 'node:assert/strict';
import { test } from 'vitest';
import { lessIsBetter, median, moreIsBetter } from './metric.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test('the median is the middle sample, or the mean of the two middle samples', () => {
  assert.equal(median([5]), 5);
  assert.equal(median([9, 1, 4]), 4);
  assert.equal(median([10, 2, 4, 100]), 7);
  assert.ok(Number.isNaN(median([])));
});

test('if less is better, 95 of 100 samples are at most p95', () => {
  const { value, p95, peer_value, peer_p95, n, ratio } = lessIsBetter(
    'ms',
    upTo(100).toReversed(),
    'twice as slow',
    upTo(100).map((time) => 2 * time),
  );
  assert.deepEqual({ value, p95, n }, { value: 50.5, p95: 95, n: 100 });
  assert.deepEqual({ peer_value, peer_p95, ratio }, { peer_value: 101, peer_p95: 190, ratio: 2 });
});

test('if more is better, 95 of 100 samples are at least p95', () => {
  const { value, p95, peer_p95, n } = moreIsBetter(
    'Gbit/s',
    upTo(100),
    'as fast',
    upTo(100).toReversed(),
  );
  assert.deepEqual({ value, p95, peer_p95, n }, { value: 50.5, p95: 6, peer_p95: 6, n: 100 });
});

test('p95 of few samples is the worst sample', () => {
  const few = [3, 1, 2];
  assert.equal(lessIsBetter('ms', few, 'peer', few).p95, 3);
  assert.equal(moreIsBetter('GB/s', few, 'peer', few).p95, 1);
});

test('p95 of a single reading is the reading itself', () => {
  const { value, p95, n } = lessIsBetter('MiB', [54.25], 'peer', [27.125]);
  assert.deepEqual({ value, p95, n }, { value: 54.3, p95: 54.3, n: 1 });
});

test("if more is better, the ratio is the median of the turns' ratios", () => {
  // The ratio of the medians would be 4 / 3.
  assert.equal(moreIsBetter('GB/s', [2, 4, 6], 'peer', [1, 4, 3]).ratio, 2);
});

test('missing, non-numeric and zero samples are an error that names the side', () => {
  const measure = (own: readonly number[], peer: readonly number[]) => () =>
    lessIsBetter('ms', own, 'xl devd', peer);
  assert.throws(measure([], []), /vifwatch: not measured/);
  assert.throws(measure([1, Number.NaN], [1, 2]), /vifwatch: not measured/);
  assert.throws(measure([1, 2], [0, 2]), /xl devd: not measured/);
  assert.throws(measure([1], [Number.POSITIVE_INFINITY]), /xl devd: not measured/);
  assert.throws(measure([1, 2], [1]), /as many samples of xl devd/);
});
