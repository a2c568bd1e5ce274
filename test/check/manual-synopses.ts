/**
 * Checks the synopses of all manual pages against the table of commands: manual-synopses.ts [--write] [DIR].
 * With --write, it brings them up to date. Part of `npm run check`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandTable } from '../../src/cli/commands/table.ts';
import { checkSynopses } from './synopsis-blocks.ts';

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [directory = 'man'] = positionals;

const pages = existsSync(directory)
  ? readdirSync(directory).filter((name) => /\.[1-9]$/.test(name))
  : [];

for (const page of pages) {
  const file = join(directory, page);
  const text = readFileSync(file, 'utf8');
  const reference = page.replace(/\.(.)$/, '($1)');
  const { commands } = commandTable;
  const { text: mended } = checkSynopses(reference, text, commands);
  if (values.write && mended !== text) writeFileSync(file, mended);
  const { faults } = checkSynopses(reference, values.write ? mended : text, commands);
  for (const { line, text } of faults) process.stderr.write(`${file}:${line}: ${text}\n`);
  if (faults.length > 0) process.exitCode = 1;
}
if (process.exitCode === 1 && !values.write) {
  process.stderr.write('node --import tsx test/check/manual-synopses.ts --write mends synopses\n');
}
