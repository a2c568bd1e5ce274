/** Directives, and the files of `!include-service` in the old format, are parsed like in Qubes. */
import { describe, expect, test } from 'vitest';
import { parse } from './policy-of.ts';

test('directives are parsed into their paths and words', () => {
  const text = '!include a/b\n !include-dir  c \n!include-service s +x f';
  expect(parse(text)).toMatchObject({
    statements: [
      {
        kind: 'include',
        path: 'a/b',
        place: { file: 'p', line: 1, column: 10 },
        service: undefined,
      },
      {
        kind: 'include-dir',
        path: 'c',
        place: { file: 'p', line: 2, column: 16 },
        service: undefined,
      },
      {
        kind: 'include-service',
        path: 'f',
        place: { file: 'p', line: 3, column: 23 },
        service: [{ text: 's' }, { text: '+x' }],
      },
    ],
    diagnostics: [],
  });
});

describe('files of !include-service', () => {
  const words = [
    { text: 's', column: 1 },
    { text: '+x', column: 3 },
  ] as const;

  test('are parsed in the old format', () => {
    const { statements, diagnostics } = parse(
      '# c\n$anyvm $anyvm ask,user=a\n$tag:x b ,deny\n$include:f\n!include g\na b allow',
      words,
    );
    expect(diagnostics).toEqual([]);
    expect(statements).toMatchObject([
      { rule: { service: 's', argument: 'x', source: { text: '@anyvm' }, action: { user: 'a' } } },
      { rule: { source: { text: '@tag:x' }, action: { kind: 'deny' }, place: 'p:3', column: 1 } },
      { kind: 'include', path: 'f', service: words },
      { kind: 'include', path: 'g', service: words },
      { rule: { action: { kind: 'allow' } } },
    ]);
  });

  test.each([
    ['a b', 1],
    [',* sa-vm allow', 1],
    ['* sa-vm,x allow', 3],
    ['a b,deny', 1],
    ['a $nope deny', 3],
    ['!include-dir d', 1],
    ['!include-service s * f', 1],
    ['!compat-4.0', 1],
  ])('refuse %s', (line, column) => {
    expect(parse(line, words).diagnostics).toMatchObject([
      { severity: 'error', place: { file: 'p', line: 1, column } },
    ]);
  });
});
