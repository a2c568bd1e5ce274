/** The scenarios on a real Xen host; `npm run lab` runs the same ones, or single ones by name. */
import { expect, test } from 'vitest';
import { logDirectory, runScenarios } from './run.ts';

/** The first run builds a Debian root and boots Xen once, which takes minutes. */
const patienceMs = 15 * 60_000;

test(
  'vifs come up and go away on real Xen',
  async () => {
    const { ok, facts } = await runScenarios([]);
    expect(ok, `see above, and the logs in ${logDirectory()}`).toBe(true);
    // Without a daemon that keeps the contract, xl takes 10 s for either and fails.
    expect(facts['destroy_s']).toBeLessThan(3);
    expect(facts['detach_s']).toBeLessThan(3);
  },
  patienceMs,
);
