import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scenariosNamed } from '../rig/lab/run.ts';
import { promises } from './promises.ts';

const root = new URL('../../', import.meta.url).pathname;

test('every promise has a log of its own', () => {
  const logs = promises.map(({ part, name }) => `${part}/${name}`);
  expect(new Set(logs).size).toBe(promises.length);
});

test('all parts usually end within two hours, with time to spare', () => {
  const minutes = promises.reduce((sum, { usualMinutes }) => sum + usualMinutes, 0);
  expect(minutes).toBeLessThan(90);
});

test('the files that are run are there', () => {
  const files = promises.flatMap(({ argv }) => argv).filter((word) => word.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => !existsSync(root + file))).toEqual([]);
});

/** They name a place or the inputs, and ask for no more of anything. */
const otherVariables = [
  'VIFWATCH_CACHE',
  'VIFWATCH_COVERAGE',
  'VIFWATCH_LAB_LOGS',
  'VIFWATCH_SEED',
];

test('each test that does more on demand is asked for more', () => {
  const sources = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => readFileSync(`${root}test/${file}`, 'utf8').split('\n'));
  const read = sources
    .filter((line) => line.includes('process.env'))
    .flatMap((line) => line.match(/VIFWATCH_[A-Z_]+/g) ?? []);
  const asked = new Set(promises.flatMap(({ env }) => Object.keys(env)));
  expect(read).toContain('VIFWATCH_SEQUENCES');
  expect(read.filter((name) => !asked.has(name) && !otherVariables.includes(name))).toEqual([]);
});

test('the parts of the lab are the whole lab', () => {
  const lab = promises.filter(({ part }) => part === 'lab');
  const run = scenariosNamed(lab.map(({ name }) => name));
  expect(new Set(run)).toEqual(new Set(scenariosNamed(['all'])));
});
