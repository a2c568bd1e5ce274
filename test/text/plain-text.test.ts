import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { plainText } from '../../src/text/plain-text.ts';

const shown = async (...chunks: readonly (string | Buffer)[]): Promise<string> => {
  const filter = plainText();
  for (const chunk of chunks) filter.write(chunk);
  filter.end();
  return await text(filter);
};

test.each([
  ['harmless text stays', 'a line\n\tand ünïcode ✓\n', 'a line\n\tand ünïcode ✓\n'],
  ['colour and cursor', '\x1b[31mred\x1b[2J', '_[31mred_[2J'],
  ['a window title', '\x1b]0;root@host\x07', '_]0;root@host_'],
  ['8-bit control sequence', '\u009b31m', '_31m'],
  ['a carriage return', 'rm -rf /\rls', 'rm -rf /_ls'],
  ['a DOS line end stays', 'a\r\nb', 'a\r\nb'],
  ['a right-to-left override', 'a\u202eb', 'a_b'],
])('plain text replaces control characters: %s', async (_, given, expected) => {
  expect(await shown(given)).toBe(expected);
});

test('characters and line ends may be split between chunks', async () => {
  const bytes = Buffer.from('✓\r\n');
  expect(await shown(bytes.subarray(0, 1), bytes.subarray(1, 4), bytes.subarray(4))).toBe('✓\r\n');
  expect(await shown('a\r')).toBe('a_');
  expect(await shown(Buffer.from([0xe2, 0x9c]))).toBe('\ufffd');
});
