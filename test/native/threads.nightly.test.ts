import { execa } from 'execa';
import { expect, test } from 'vitest';
import { printFigures } from '../support/figures.ts';
import { buildRace, sanitizedEnvironment, sanitizerReports } from './sanitized.ts';
import { runSanitized, withBoth } from './sanitized-programs.ts';

test('the thread sanitizer reports no data race of the addon', async () => {
  const programs = await runSanitized('threads');
  printFigures({ programs, reports: sanitizerReports('threads').length });
  // The sanitizer does report the race of a preloaded library.
  const sanitizers = await sanitizedEnvironment('threads');
  const env = withBoth({ LD_PRELOAD: await buildRace() }, sanitizers);
  await execa(process.execPath, ['-e', '0'], { env });
  expect(sanitizerReports('threads')).toEqual([
    expect.stringMatching(/WARNING: ThreadSanitizer: data race(.|\n)*write_shared/),
  ]);
});
