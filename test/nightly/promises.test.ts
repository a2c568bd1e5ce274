import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scenariosNamed } from '../rig/lab/run.ts';
import { promises } from './promises.ts';

const root = new URL('../../', import.meta.url).pathname;

test('every promise has a log of its own', () => {
  const logs = promises.map(({ part, name }) => `${part}/${name}`);
  expect(new Set(logs).size).toBe(promises.length);
});

test('the usual times of all parts together are less than 110 minutes', () => {
  const minutes = promises.reduce((sum, { usualMinutes }) => sum + usualMinutes, 0);
  expect(minutes).toBeLessThan(110);
});

test('every file that a promise runs exists', () => {
  const files = promises.flatMap(({ argv }) => argv).filter((word) => word.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => !existsSync(root + file))).toEqual([]);
});

/** Variables that name a directory or a seed and do not make a test do more. */
const otherVariables = [
  'VIFWATCH_CACHE',
  'VIFWATCH_COVERAGE',
  'VIFWATCH_LAB_LOGS',
  'VIFWATCH_SEED',
];

test('a promise sets each environment variable that makes a test do more', () => {
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

test("the lab's promises together run every scenario", () => {
  const lab = promises.filter(({ part }) => part === 'lab');
  const run = scenariosNamed(lab.map(({ name }) => name));
  expect(new Set(run)).toEqual(new Set(scenariosNamed(['all'])));
});
