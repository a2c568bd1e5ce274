/** The scenarios on a real Xen host; `npm run lab` runs the same ones, or single ones by name. */
import { expect, test } from 'vitest';
import { slowness } from '../../support/slowness.ts';
import { runScenarios } from './run.ts';

/** The first run builds a Debian root and boots Xen once, which takes minutes. */
const timeout = 20 * 60_000;

test('vifs come up and go away on real Xen', { timeout, retry: 0 }, async () => {
  const { facts, failures } = await runScenarios(['test']);
  // A second chance as all tests have it; but those that passed have passed.
  const failed = Object.keys(failures);
  if (failed.length > 0) expect((await runScenarios(failed)).failures).toEqual({});
  // Without a daemon that keeps the contract, xl takes 10 s for either and fails.
  const quick = 3 * (await slowness());
  expect(facts['destroy_s']).toBeLessThan(quick);
  expect(facts['detach_s']).toBeLessThan(quick);
});
