import { parseArgs } from 'node:util';
import { say } from './progress.ts';
import { logDirectory, runScenarios } from './run.ts';
import { openShell } from './shell.ts';

const { values, positionals } = parseArgs({
  options: { shell: { type: 'boolean', default: false } },
  allowPositionals: true,
});

if (values.shell) {
  await openShell();
} else {
  const outcome = await runScenarios(positionals);
  say(`what the guests said is in ${logDirectory()}`);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  process.exitCode = outcome.ok ? 0 : 1;
}
