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
  ['plain', 'a line\n\tand ünïcode ✓\n', 'a line\n\tand ünïcode ✓\n'],
  ['colour and cursor', '\x1b[31mred\x1b[2J', '_[31mred_[2J'],
  ['title', '\x1b]0;root@host\x07', '_]0;root@host_'],
  ['8-bit control sequence', '\u009b31m', '_31m'],
  ['overwriting', 'rm -rf /\rls', 'rm -rf /_ls'],
  ['a line end of DOS', 'a\r\nb', 'a\r\nb'],
  ['turned text', 'a\u202eb', 'a_b'],
])('%s', async (_, given, expected) => {
  expect(await shown(given)).toBe(expected);
});

test('characters and line ends may be split', async () => {
  const bytes = Buffer.from('✓\r\n');
  expect(await shown(bytes.subarray(0, 1), bytes.subarray(1, 4), bytes.subarray(4))).toBe('✓\r\n');
  expect(await shown('a\r')).toBe('a_');
  expect(await shown(Buffer.from([0xe2, 0x9c]))).toBe('\ufffd');
});
