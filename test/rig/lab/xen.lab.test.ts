/** The scenarios on a real Xen host; `npm run lab` runs the same ones, or single ones by name. */
import { expect, test } from 'vitest';
import { printFigures } from '../../support/figures.ts';
import { openBound } from '../../support/slowness.ts';
import { runScenarios } from './run.ts';
import { labHangMs } from './until.ts';

/** Milliseconds: each wait has its own end, and the first run builds a Debian root and boots Xen besides. */
const timeout = 4 * labHangMs;

test('every scenario holds on real Xen', { timeout }, async () => {
  // Without a daemon that keeps the contract, xl takes 10 s for either.
  const quick = await openBound(3);
  const { facts, failures } = await runScenarios(['test']);
  printFigures(facts);
  expect(failures).toEqual({});
  for (const fact of ['destroy_s', 'detach_s'])
    await quick.assertKept(facts[fact] ?? Number.NaN, fact);
});
