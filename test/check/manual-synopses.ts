/**
 * manual-synopses.ts [--write] [DIR]: checks the synopses of all man pages against the table of commands.
 * With --write it updates them. `npm run check` runs it.
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
  const { diagnostics } = checkSynopses(reference, values.write ? mended : text, commands);
  for (const { line, text } of diagnostics) process.stderr.write(`${file}:${line}: ${text}\n`);
  if (diagnostics.length > 0) process.exitCode = 1;
}
if (process.exitCode === 1 && !values.write) {
  process.stderr.write(
    'to update synopses: node --import tsx test/check/manual-synopses.ts --write\n',
  );
}
