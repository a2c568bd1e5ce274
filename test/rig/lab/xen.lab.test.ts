/** The scenarios on a real Xen host; `npm run lab` runs the same ones, or single ones by name. */
import { expect, test } from 'vitest';
import { printFigures } from '../../support/figures.ts';
import { runScenarios } from './run.ts';
import { labHangMs } from './until.ts';

/** Milliseconds: each wait has its own end, and the first run builds a Debian root and boots Xen besides. */
const timeout = 4 * labHangMs;

test('every scenario holds on real Xen', { timeout }, async () => {
  const { facts, failures } = await runScenarios(['test']);
  printFigures(facts);
  expect(failures).toEqual({});
});
