/** The check of the synopses in man pages against the table of commands. */
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
])('the synopsis of "%s" has these lines', (name, lines) => {
  expect(synopsis(name)).toEqual(lines);
});

test('a page without synopses and a page with current synopses have no diagnostics', () => {
  expect(check('.Sh NAME\n.Nm vifwatch\n').diagnostics).toEqual([]);
  const text = page(block('status', synopsis('status')), block('call', synopsis('call')));
  expect(check(text)).toEqual({ text, diagnostics: [] });
});

test('an outdated synopsis is reported and updated', () => {
  const text = page(block('status', ['.Nm vifwatch', '.Cm status']), block('call', []));
  const { text: mended, diagnostics } = check(text);
  expect(diagnostics).toEqual([
    { line: 2, text: 'the synopsis of "status" differs from the table of commands' },
    { line: 6, text: 'the synopsis of "call" differs from the table of commands' },
  ]);
  expect(mended).toBe(page(block('status', synopsis('status')), block('call', synopsis('call'))));
});

test('an unknown command and a synopsis without an end are reported and not changed', () => {
  const text = page(block('statsu', []), ['.\\" synopsis of: call', '.Nm vifwatch']);
  expect(check(text)).toEqual({
    text,
    diagnostics: [
      { line: 2, text: 'unknown command "statsu"' },
      { line: 4, text: `the synopsis of "call" has no end: add a line '.\\" end of synopsis'` },
    ],
  });
});

test('a page without the synopsis of one of its commands is reported', () => {
  const text = page(block('mesh check', synopsis('mesh check')));
  expect(check(text, 'vifwatch-mesh(5)').diagnostics).toEqual([
    { line: 1, text: 'the page lacks the synopsis of "mesh compile"' },
  ]);
});

test('the script reports outdated synopses, and with --write it updates them', async () => {
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
      `${file}:2: the synopsis of "audit" differs from the table of commands`,
      'to update synopses: node --import tsx test/check/manual-synopses.ts --write',
    ].join('\n'),
  });
  expect(readFileSync(file, 'utf8')).toBe(old);
  expect(await run('--write')).toEqual({ exitCode: 0, stderr: '' });
  expect(readFileSync(file, 'utf8')).toBe(page(block('audit', synopsis('audit'))));
  expect(await run()).toEqual({ exitCode: 0, stderr: '' });
});
