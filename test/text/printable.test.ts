import { expect, test } from 'vitest';
import { excerpt, printable, quoted } from '../../src/text/printable.ts';

test('printable and quoted escape hostile bytes', () => {
  expect(printable('\x1b[2J "a\\b"\u202e')).toBe('\\u{1b}[2J \\u{22}a\\u{5c}b\\u{22}\\u{202e}');
  expect(quoted('a\n')).toBe('"a\\u{a}"');
  expect(quoted('y'.repeat(2000))).toHaveLength(85);
});

test('excerpt keeps hostile bytes off the terminal', () => {
  expect(excerpt('\x1b[2Jx\0')).toBe('?[2Jx?');
  expect(excerpt('y'.repeat(2000))).toHaveLength(61);
});
