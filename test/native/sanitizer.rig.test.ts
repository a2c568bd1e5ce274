import { execa } from 'execa';
import { expect, test } from 'vitest';
import { printFigures } from '../support/figures.ts';
import { buildLeak, sanitizedEnvironment, sanitizerReports } from './sanitized.ts';
import { runSanitized, withBoth } from './sanitized-programs.ts';

test('the sanitizers report no error and no leak of the addon', async () => {
  const programs = await runSanitized('memory');
  printFigures({ programs, reports: sanitizerReports('memory').length });
  // The sanitizers do report a leak of a preloaded library.
  const sanitizers = await sanitizedEnvironment('memory');
  const env = withBoth({ LD_PRELOAD: await buildLeak() }, sanitizers);
  await execa(process.execPath, ['-e', '0'], { env });
  expect(sanitizerReports('memory')).toEqual([
    expect.stringContaining('1000 byte(s) in 10 object(s)'),
  ]);
});
