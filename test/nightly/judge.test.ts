import { expect, test } from 'vitest';
import { metricsMeetTargets, scenariosPass, testsCount, testsPass, testsPassOn } from './judge.ts';

const report = (passed: number, total = passed): string =>
  JSON.stringify({ numTotalTests: total, numPassedTests: passed, testResults: [] });

const policies = testsCount('policies', 500);
const said = (figures: Record<string, number>, end = report(1)): string =>
  `stdout | a.test.ts > some\nfigures: ${JSON.stringify(figures)}\n\n ✓ a.test.ts\n${end}\n`;

test('the figure shows the counts of the test', () => {
  expect(policies(said({ policies: 500, packets: 9, seed: 7 }))).toEqual({
    figure: 'policies 500, packets 9, seed 7',
    isMet: true,
  });
});

test('a count below the bound is a miss', () => {
  expect(policies(said({ policies: 499 })).isMet).toBe(false);
});

test('a test that fails after it has printed its figures is a miss', () => {
  expect(policies(said({ policies: 500 }, report(1, 2))).isMet).toBe(false);
});

test('a test that fails before it prints figures is a miss, and the figure shows the passed tests', () => {
  expect(policies(report(0, 1))).toEqual({ figure: '0 of 1 tests', isMet: false });
});

test('output without the wanted count is an error', () => {
  expect(() => policies(said({ packets: 500 }))).toThrow('no number "policies"');
});

test('a run without tests is a miss', () => {
  expect(policies(said({ policies: 500 }, report(0))).isMet).toBe(false);
});

test('for tests without counts, the figure is the number of passed tests', () => {
  expect(testsPass(report(7))).toEqual({ figure: '7 of 7 tests', isMet: true });
  expect(testsPass(report(6, 7)).isMet).toBe(false);
  expect(testsPass(report(0)).isMet).toBe(false);
});

test('output without a result is an error', () => {
  expect(() => policies('{ not JSON\nSegmentation fault\n')).toThrow('no result');
});

const onBoth = testsPassOn(['22', '24']);
const version = (name: string, tests: string): string =>
  `Node.js v${name}\n ✓ a.test.ts (2 tests)\n\n Test Files  1 passed (1)\n      Tests  ${tests}\n`;

test('the figure shows the tests on each version of Node.js', () => {
  expect(onBoth(version('22.23.5', '9 passed (9)') + version('24.22.3', '8 passed (8)'))).toEqual({
    figure: '22.23.5: 9 passed (9), 24.22.3: 8 passed (8)',
    isMet: true,
  });
});

test('a version with a failed or skipped test or without tests is a miss', () => {
  const good = version('22.23.5', '9 passed (9)');
  for (const tests of ['1 failed | 8 passed (9)', '8 passed | 1 skipped (9)', '0 passed (0)'])
    expect(onBoth(good + version('24.22.3', tests)).isMet).toBe(false);
});

test('a version without a run is a miss', () => {
  const good = version('22.23.5', '9 passed (9)');
  expect(onBoth(good).isMet).toBe(false);
  expect(onBoth(`${good}Node.js v24.22.3\n`).isMet).toBe(false);
  expect(() => onBoth('npm error\n')).toThrow('names no version');
});

const lab = (ok: boolean, facts: Record<string, number>): string =>
  `lab: starting\n${JSON.stringify({ ok, facts })}\nlab: late words\n`;

test("the figure shows the lab's facts", () => {
  expect(scenariosPass(lab(true, { scenarios: 4, destroy_s: 0.79 }))).toEqual({
    figure: 'scenarios 4, destroy_s 0.79',
    isMet: true,
  });
});

test('a lab run with a failed scenario or without scenarios is a miss', () => {
  expect(scenariosPass(lab(false, { scenarios: 3, destroy_s: 0.79 })).isMet).toBe(false);
  expect(scenariosPass(lab(true, { scenarios: 0, destroy_s: 0.79 })).isMet).toBe(false);
});

test("the figure shows the benchmark's values and ratios", () => {
  const metrics = {
    vif_up_1: { value: 4, unit: 'ms', ratio: 6.1 },
    daemon_rss: { value: 55, unit: 'MiB', ratio: 0.1 },
  };
  expect(metricsMeetTargets(JSON.stringify(metrics))).toEqual({
    figure: 'vif_up_1 4 ms (ratio 6.1), daemon_rss 55 MiB (ratio 0.1)',
    isMet: true,
  });
  expect(metricsMeetTargets('{}').isMet).toBe(false);
});

test('figures of several tests count together', () => {
  const output = `${said({ kills: 3 }, '')}${said({ places: 2 })}`;
  expect(testsCount('kills', 3)(output)).toEqual({ figure: 'kills 3, places 2', isMet: true });
});
