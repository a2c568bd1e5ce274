import { expect, test } from 'vitest';
import {
  asciiText,
  excerpt,
  printable,
  printableLine,
  printableLines,
  quoted,
  terminalText,
} from '../../src/text/printable.ts';

test('printable and quoted escape hostile bytes', () => {
  expect(printable('\x1b[2J "a\\b"\u202e')).toBe('\\u{1b}[2J \\u{22}a\\u{5c}b\\u{22}\\u{202e}');
  expect(quoted('a\n')).toBe('"a\\u{a}"');
  expect(quoted('y'.repeat(2000))).toHaveLength(85);
});

test('excerpt keeps hostile bytes off the terminal', () => {
  expect(excerpt('\x1b[2Jx\0')).toBe('?[2Jx?');
  expect(excerpt('y'.repeat(2000))).toHaveLength(61);
});

test.each([
  ['printableLine', printableLine, '\\u{1b}[2J\\u{d}\\u{a}\\u{9}ü😀\\u{202e}\\u{2028}"\\'],
  ['printableLines', printableLines, '\\u{1b}[2J\\u{d}\n\tü😀\u202e\u2028"\\'],
  ['asciiText', asciiText, '?[2J????????"\\'],
  ['terminalText', terminalText, '_[2J\r\n\tü😀_\u2028"\\'],
])('%s keeps what it says and escapes or masks the rest', (_, sanitise, expected) => {
  expect(sanitise('\x1b[2J\r\n\tü😀\u202e\u2028"\\')).toBe(expected);
});

test('terminalText leaves no carriage return that overwrites a line', () => {
  expect(terminalText('rm -rf /\rls')).toBe('rm -rf /_ls');
});
