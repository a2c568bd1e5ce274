/** mandoc accepts the synopses of all commands. */
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

test('mandoc has no warnings about the synopses', async () => {
  const argv = ['-Tlint', '-W', 'warning'];
  const { stdout, stderr, exitCode } = await execa('mandoc', argv, { input: page, reject: false });
  expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: '', exitCode: 0 });
});

test('mandoc prints the same synopsis as its help', async () => {
  const { stdout } = await execa('mandoc', ['-Tascii', '-O', 'width=200'], { input: page });
  // mandoc marks bold and underlined characters with backspaces.
  const text = stdout.replaceAll(/.[\b]/g, '');
  expect(text).toContain(
    'vifwatch call [--timeout seconds] vm service[+argument] [-- program ...]',
  );
});
