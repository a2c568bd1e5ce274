import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { known } from './known.ts';

const directory = new URL('.', import.meta.url).pathname;

const idsIn = (file: string): readonly string[] =>
  [...readFileSync(`${directory}${file}`, 'utf8').matchAll(/\bfault\('([\w-]+)'/g)].map(
    ([, id]) => id ?? '',
  );

const files = readdirSync(directory).filter((file) => file.endsWith('.fault.test.ts'));

test('each known fault has a test', () => {
  expect([...new Set(files.flatMap(idsIn))].sort()).toEqual(Object.keys(known).sort());
});

test('each file has a test of a known fault', () => {
  expect(files.filter((file) => idsIn(file).length === 0)).toEqual([]);
});
