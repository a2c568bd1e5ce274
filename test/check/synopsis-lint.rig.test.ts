/** mandoc finds no fault in the synopses of all commands. */
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { commandTable } from '../../src/cli/commands/table.ts';
import { synopsisOf } from './synopsis.ts';

const page = [
  ...['.Dd November 30, 2026', '.Dt VIFWATCH 8', '.Os'],
  ...['.Sh NAME', '.Nm vifwatch', '.Nd serves vifs'],
  '.Sh SYNOPSIS',
  ...commandTable.commands.flatMap(synopsisOf),
  ...['.Sh DESCRIPTION', 'Text.', ''],
].join('\n');

test('mandoc has no warning', async () => {
  const argv = ['-Tlint', '-W', 'warning'];
  const { stdout, stderr, exitCode } = await execa('mandoc', argv, { input: page, reject: false });
  expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: '', exitCode: 0 });
});

test('mandoc prints a command as its help does', async () => {
  const { stdout } = await execa('mandoc', ['-Tascii', '-O', 'width=200'], { input: page });
  // Bold and underlined characters are overstruck.
  const text = stdout.replaceAll(/.[\b]/g, '');
  expect(text).toContain(
    'vifwatch call [--timeout seconds] vm service[+argument] [-- program ...]',
  );
});
