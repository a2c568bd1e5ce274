import { parseArgs } from 'node:util';
import { say } from './progress.ts';
import { logDirectory, runScenarios } from './run.ts';
import { openShell } from './shell.ts';

const { values, positionals } = parseArgs({
  options: { shell: { type: 'boolean', default: false } },
  allowPositionals: true,
});

// process.exit runs the exit handlers, which end QEMU and remove temporary directories.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    say(`ended by ${signal}`);
    process.exit(1);
  });
}

if (values.shell) {
  await openShell();
} else {
  const { facts, failures } = await runScenarios(positionals);
  const ok = Object.keys(failures).length === 0;
  say(`the guests' logs are in ${logDirectory()}`);
  process.stdout.write(`${JSON.stringify({ ok, facts })}\n`);
  process.exitCode = ok ? 0 : 1;
}
