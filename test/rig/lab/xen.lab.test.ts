/** Runs scenarios on a real Xen host; `npm run lab` runs them by name or group. */
import { expect, test } from 'vitest';
import { printFigures } from '../../support/figures.ts';
import { runScenarios } from './run.ts';
import { labHangMs } from './until.ts';

/** Milliseconds. Each wait has its own limit; the first run also builds a Debian root and boots Xen. */
const timeout = 4 * labHangMs;

test('every scenario holds on real Xen', { timeout }, async () => {
  const { facts, failures } = await runScenarios(['test']);
  printFigures(facts);
  expect(failures).toEqual({});
});
