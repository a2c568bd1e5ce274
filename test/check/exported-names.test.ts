import { expect, test } from 'vitest';
import { repeatedNames } from './exported-names.ts';

const repeated = (...texts: readonly string[]): readonly string[] =>
  repeatedNames(new Map(texts.map((text, index) => [`${index}.ts`, text])));

test('a name that only one file exports is not reported', () => {
  expect(
    repeated('export const a = 1;\nconst b = 2;\n', 'const a = 1;\nexport { a as b };\n'),
  ).toEqual([]);
});

test.each([
  'export const a = 1;',
  'export const { b: a } = { b: 1 };',
  'export let other = 1, a: number;',
  'export type a = 1;',
  'export interface a {}',
  'export async function a() {}',
  'export function* a() {}',
  'export abstract class a {}',
  'const b = 1;\nexport { b as a };',
  'type b = 1;\nexport type { b as a };',
])('a name that two files export is reported: %s', (text) => {
  expect(repeated('export const a = 1;', 'export const c = 1;', text)).toEqual([
    'a is exported by 0.ts and 2.ts',
  ]);
});

test('reported lines are sorted, and each names all files', () => {
  const text = 'export const b = 1;\nexport const a = 1;\n';
  expect(repeated(text, text, text)).toEqual([
    'a is exported by 0.ts and 1.ts and 2.ts',
    'b is exported by 0.ts and 1.ts and 2.ts',
  ]);
});

test('a type and a value with the same name in one file are not reported', () => {
  expect(repeated('export type A = 1;\nexport const A = 1;\n')).toEqual([]);
});

test('a re-exported name is not reported', () => {
  expect(
    repeated('export const a = 1;\n', "export { a } from './0.ts';\nexport * from './0.ts';"),
  ).toEqual([]);
});

test('the word "export" in a string or a comment is ignored', () => {
  expect(
    repeated(
      'export const a = `\nexport const b = 1;\n`;',
      '// export const a\nexport const b = 1;',
    ),
  ).toEqual([]);
});

test('a file that cannot be parsed is an error with its name', () => {
  expect(() => repeated('export const = 1;')).toThrow(/^0\.ts: /);
});
