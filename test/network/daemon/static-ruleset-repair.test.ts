/** Loading the static ruleset again, with a kernel that only records. */
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openRepairBackoff } from '../../../src/network/daemon/repair-backoff.ts';
import { openStaticRulesetRepair } from '../../../src/network/daemon/static-ruleset-repair.ts';

const openFakes = () => {
  const calls: string[] = [];
  const state = { failure: undefined as Error | undefined };
  const repair = openStaticRulesetRepair({
    network: {
      staticRuleset: {
        load: async () => {
          calls.push('load');
          if (state.failure !== undefined) throw state.failure;
        },
        isWhole: async () => true,
      },
      cutFlows: async (addresses) => {
        calls.push(`cut ${addresses}`);
        if (state.failure !== undefined) throw state.failure;
      },
    },
    repairBackoff: openRepairBackoff(() => 0),
    log: pino({ base: null }, { write: () => {} }),
    addresses: () => ['10.0.5.3', '10.0.5.4'],
    repaired: () => calls.push('repaired'),
  });
  return { repair, calls, state };
};

test('cuts the flows of all served addresses once after a repair', async () => {
  const { repair, calls } = openFakes();
  await repair.cutSuspects();
  expect(calls).toEqual([]);
  await repair.load();
  await repair.cutSuspects();
  await repair.cutSuspects();
  expect(calls).toEqual(['load', 'cut 10.0.5.3,10.0.5.4', 'repaired']);
});

test('a cut that failed stays due', async () => {
  const { repair, calls, state } = openFakes();
  await repair.load();
  state.failure = new Error('conntrack failed');
  await expect(repair.cutSuspects()).rejects.toThrow('conntrack failed');
  state.failure = undefined;
  await repair.cutSuspects();
  expect(calls.slice(-2)).toEqual(['cut 10.0.5.3,10.0.5.4', 'repaired']);
});

test('a ruleset that could not be loaded was not repaired: no flow is suspect', async () => {
  const { repair, calls, state } = openFakes();
  state.failure = new Error('nft failed');
  await expect(repair.load()).rejects.toThrow('nft failed');
  await repair.cutSuspects();
  expect(calls).toEqual(['load']);
});

test('waits between repairs once another program undoes more than five', async () => {
  const { repair } = openFakes();
  for (let round = 0; round < 5; round++) await repair.load();
  expect([repair.waitMs(), repair.problemText()]).toEqual([0, undefined]);
  await repair.load();
  expect(repair.waitMs()).toBe(1_000);
  expect(repair.problemText()).toContain('the tables of vifwatch');
});
