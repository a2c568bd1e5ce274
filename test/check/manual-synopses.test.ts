/** The synopses of manual pages are what the table of commands gives. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { commandTable } from '../../src/cli/commands/table.ts';
import { directoryWith } from '../support/directory.ts';
import { synopsisOf } from './synopsis.ts';
import { checkSynopses } from './synopsis-blocks.ts';

const { commands } = commandTable;

const synopsis = (name: string): readonly string[] =>
  commands.filter(({ path }) => path.join(' ') === name).flatMap(synopsisOf);

const block = (name: string, body: readonly string[]): readonly string[] => [
  `.\\" synopsis of: ${name}`,
  ...body,
  '.\\" end of synopsis',
];

const page = (...blocks: readonly (readonly string[])[]): string =>
  ['.Sh SYNOPSIS', ...blocks.flat(), '.Sh DESCRIPTION', 'Text.', ''].join('\n');

const check = (text: string, name = 'vifwatch-none(8)') => checkSynopses(name, text, commands);

test.each([
  ['panic', ['.Nm vifwatch', '.Cm panic']],
  [
    'policy explain',
    [
      ...['.Nm vifwatch', '.Cm policy explain'],
      ...['.Op Fl -dir Ar dir', '.Op Fl -self Ar name', '.Op Fl -relayed'],
      ...['.Ar source', '.Ar service Ns Op + Ns Ar argument'],
    ],
  ],
  ['mesh compile', ['.Nm vifwatch', '.Cm mesh compile', '.Fl o Ar dir', '.Ar file']],
  ['policy eval', ['.Nm vifwatch', '.Cm policy eval', '.Fl -dir Ar dir', '.Fl -self Ar name']],
  ['policy check', ['.Nm vifwatch', '.Cm policy check', '.Op Ar dir']],
  [
    'call',
    [
      ...['.Nm vifwatch', '.Cm call', '.Op Fl -timeout Ar seconds'],
      ...['.Ar vm', '.Ar service Ns Op + Ns Ar argument', '.Op Fl - Ar program ...'],
    ],
  ],
])('the synopsis of "%s"', (name, lines) => {
  expect(synopsis(name)).toEqual(lines);
});

test('a page without synopses and one with current ones are right', () => {
  expect(check('.Sh NAME\n.Nm vifwatch\n').faults).toEqual([]);
  const text = page(block('status', synopsis('status')), block('call', synopsis('call')));
  expect(check(text)).toEqual({ text, faults: [] });
});

test('an old synopsis is a fault, and mended', () => {
  const text = page(block('status', ['.Nm vifwatch', '.Cm status']), block('call', []));
  const { text: mended, faults } = check(text);
  expect(faults).toEqual([
    { line: 2, text: 'the synopsis of "status" is not what the command takes' },
    { line: 6, text: 'the synopsis of "call" is not what the command takes' },
  ]);
  expect(mended).toBe(page(block('status', synopsis('status')), block('call', synopsis('call'))));
});

test('an unknown command and a synopsis without an end are faults, and left alone', () => {
  const text = page(block('statsu', []), ['.\\" synopsis of: call', '.Nm vifwatch']);
  expect(check(text)).toEqual({
    text,
    faults: [
      { line: 2, text: 'unknown command "statsu"' },
      { line: 4, text: `the synopsis of "call" has no end: add a line '.\\" end of synopsis'` },
    ],
  });
});

test('a page lacks a command that belongs to it', () => {
  const text = page(block('mesh check', synopsis('mesh check')));
  expect(check(text, 'vifwatch-mesh(5)').faults).toEqual([
    { line: 1, text: 'the page lacks the synopsis of "mesh compile"' },
  ]);
});

test('the script finds faults, and with --write it mends them', async () => {
  const old = page(block('audit', []));
  const directory = directoryWith({ 'vifwatch-audit.8': old, 'notes.txt': old });
  const script = new URL('./manual-synopses.ts', import.meta.url).pathname;
  const run = async (...args: readonly string[]) => {
    const argv = ['--import', 'tsx', script, ...args, directory];
    const { exitCode, stderr } = await execa(process.execPath, argv, { reject: false });
    return { exitCode, stderr };
  };
  const file = join(directory, 'vifwatch-audit.8');
  expect(await run()).toEqual({
    exitCode: 1,
    stderr: [
      `${file}:2: the synopsis of "audit" is not what the command takes`,
      'node --import tsx test/check/manual-synopses.ts --write mends synopses',
    ].join('\n'),
  });
  expect(readFileSync(file, 'utf8')).toBe(old);
  expect(await run('--write')).toEqual({ exitCode: 0, stderr: '' });
  expect(readFileSync(file, 'utf8')).toBe(page(block('audit', synopsis('audit'))));
  expect(await run()).toEqual({ exitCode: 0, stderr: '' });
});
