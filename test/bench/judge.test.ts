import assert from 'node:assert/strict';
import { test } from 'vitest';
import { judge, promiseOf } from './judge.ts';
import { lessIsBetter, type Metric } from './metric.ts';
import { loadTargets, parseTargets, partNames, type Target, targetsOf } from './targets.ts';

/** A metric of 10 ms, whose ratio is that of its peer's time to 10. */
const timeBeside = (peerMs: number): Metric => lessIsBetter('ms', [10], 'peer', [peerMs]);

const last = { part: 'calls', last: 1 } as const;

const judgeOne = (metric: Metric, target: Target) => judge({ trip: metric }, { trip: target });

const nothing = { misses: [], warnings: [] };

test('a ratio that reaches its target keeps the promise, and a lower ratio is a miss with both numbers', () => {
  assert.deepEqual(judgeOne(timeBeside(40), { ...last, target: 4 }), nothing);
  assert.deepEqual(judgeOne(timeBeside(39.9), { ...last, target: 4 }).misses, [
    'trip: measured ratio 3.99; promised ratio >= 4',
  ]);
});

test('a value up to its bound keeps the promise, and a higher value is a miss with both numbers', () => {
  const metric = timeBeside(40);
  assert.deepEqual(judgeOne(metric, { ...last, at_most: 10, unit: 'ms' }), nothing);
  assert.deepEqual(judgeOne(metric, { ...last, at_most: 9.9, unit: 'ms' }).misses, [
    'trip: measured 10 ms; promised <= 9.9 ms',
  ]);
});

test('a value within its distance above the peer keeps the promise, and a higher value is a miss', () => {
  const metric = timeBeside(8);
  const target = { ...last, last: 0.8, unit: 'ms' };
  assert.deepEqual(judgeOne(metric, { ...target, at_most_above_peer: 2 }), nothing);
  assert.deepEqual(judgeOne(metric, { ...target, at_most_above_peer: 1.5 }).misses, [
    'trip: measured 10 ms, its peer 8 ms; promised <= peer + 1.5 ms',
  ]);
});

test('several promises of one metric are judged separately', () => {
  const target = { ...last, target: 4, at_most: 9, unit: 'ms' };
  assert.equal(promiseOf(timeBeside(40), target), 'ratio >= 4, <= 9 ms');
  assert.equal(judgeOne(timeBeside(40), target).misses.length, 1);
  assert.equal(judgeOne(timeBeside(30), target).misses.length, 2);
});

test('a value in another unit than its bound is a miss', () => {
  assert.deepEqual(judgeOne(timeBeside(40), { ...last, at_most: 60, unit: 's' }).misses, [
    'trip: measured in ms, its bound is in s',
  ]);
});

test('a ratio below 0.8 of the last ratio is a warning and not a miss', () => {
  assert.deepEqual(judgeOne(timeBeside(80), { ...last, last: 10 }), nothing);
  assert.deepEqual(judgeOne(timeBeside(79.9), { ...last, last: 10 }), {
    misses: [],
    warnings: ['trip: ratio 7.99 is less than 0.8 of the last ratio, 10'],
  });
});

test('a metric without a target and a target without a metric are misses', () => {
  const { misses } = judge({ trip: timeBeside(40) }, { stream: last });
  assert.deepEqual(misses, ['trip: not in targets.toml', 'stream: not measured']);
});

test('a run of one part is judged only with the targets of that part', () => {
  const targets = { trip: last, up: { ...last, part: 'network' as const } };
  const judgement = judge({ trip: timeBeside(40) }, targetsOf(targets, ['calls']));
  assert.deepEqual(judgement, nothing);
});

test('targets.toml is valid and has metrics of each part', () => {
  const targets = loadTargets();
  for (const part of partNames) assert.notDeepEqual(targetsOf(targets, [part]), {});
});

test('an invalid table in the targets is an error with its place', () => {
  const parse = (lines: string) => () => parseTargets('targets.toml', `[trip]\n${lines}\n`);
  assert.throws(parse('part = "calls"\nlast = 1\naim = 4'), /^.*targets\.toml:4:1: unknown key/s);
  assert.throws(parse('part = "calls"'), /targets\.toml:1:1: trip\.last/);
  assert.throws(parse('part = "call"\nlast = 1'), /targets\.toml:2:1: trip\.part/);
  assert.throws(parse('part = "calls"\nlast = 0'), /trip\.last: must be more than 0/);
  assert.throws(parse('part = "calls"\nlast = 1\nat_most = 60'), /a unit needs one of them/);
  assert.throws(parse('part = "calls"\nlast = 1\nunit = "ms"'), /a unit needs one of them/);
});
