/** Fails if several files of src export the same name, and prints a line for each such name. */
import { readdirSync, readFileSync } from 'node:fs';
import { repeatedNames } from './exported-names.ts';

const root = new URL('../../', import.meta.url).pathname;
const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/${name}`);
const complaints = repeatedNames(
  new Map(files.map((file) => [file, readFileSync(`${root}${file}`, 'utf8')])),
);
for (const complaint of complaints) process.stderr.write(`${complaint}: rename all but one\n`);
process.exitCode = complaints.length === 0 ? 0 : 1;
