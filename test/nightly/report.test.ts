import { expect, test } from 'vitest';
import { endOfLog, lineOf } from './report.ts';

const result = {
  part: 'fuzz',
  promise: 'No input crashes a link',
  figure: 'inputs 9',
  bound: 'at least 9',
  isMet: true,
  minutes: 2.049,
  log: '.cache/nightly/fuzz/frames.log',
};

test('a promise is one line that begins with its verdict', () => {
  expect(lineOf(result, 6)).toBe(
    'ok    fuzz    No input crashes a link: inputs 9 (at least 9)  2.0 min  .cache/nightly/fuzz/frames.log',
  );
  expect(lineOf({ ...result, isMet: false }, 6)).toMatch(/^MISS {2}fuzz {4}No input/);
});

test('the end of a log shows no empty lines and no JSON results, and cuts long lines', () => {
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  const end = endOfLog([...lines, '', 'x'.repeat(999), '{"numTotalTests":1}', ''].join('\n'));
  const shown = end.split('\n').map((line) => line.trim());
  expect(shown).toHaveLength(20);
  expect(shown[0]).toBe('line 11');
  expect(shown.at(-1)).toBe('x'.repeat(200));
});
