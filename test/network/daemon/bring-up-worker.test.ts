/** The worker that brings vifs up, with fakes of its neighbours that record each call. */
import { expect, test } from 'vitest';
import type { BringUpResult } from '../../../src/network/daemon/bring-up.ts';
import { openBringUpWorker } from '../../../src/network/daemon/bring-up-worker.ts';
import type { Plan } from '../../../src/network/plan/plan.ts';
import { deferred } from '../../../src/system/deferred.ts';
import { modelOf, planFor } from '../plan/model-kernel.ts';
import { backendVif } from '../store-fixture.ts';

const model = modelOf([backendVif(3), backendVif(4)]);
const todo: Plan = planFor(model);
const nothingToDo: Plan = {
  ...todo,
  bringUp: [],
  host: { elements: [], chains: [] },
  gateways: [],
};

type Outcome = BringUpResult['outcome'];

const openFakes = (outcome: Outcome = 'open') => {
  const calls: string[] = [];
  const call = (text: string): void => {
    calls.push(text);
  };
  const state = {
    mayOpen: true,
    blocked: new Set<string>(),
    failed: new Set<string>(),
    hang: undefined as Promise<void> | undefined,
    delay: undefined as (() => Promise<void>) | undefined,
    failure: undefined as Error | undefined,
  };
  const planWorker = openBringUpWorker({
    observed: {
      vifs: () => model.vifs,
      touch: (change) => call(`touch ${JSON.stringify(change)}`),
      invalidateElements: () => call('invalidate elements'),
      invalidateLinks: () => call('invalidate links'),
    },
    linkTimeout: {
      mayTry: (key) => !state.blocked.has(key),
      hasFailed: (key) => state.failed.has(key),
      failed: (key, { code }) => call(`failed ${key} ${code}`),
      succeeded: (key) => call(`succeeded ${key}`),
    },
    repair: {
      isAllowed: ({ vif }) => !state.blocked.has(`repair ${vif.key}`),
      record: (bringUps) => call(`record ${bringUps.map(({ vif }) => vif.key)}`),
      gatewaysToAdd: (missing) => missing,
    },
    batchWindow: { delayBefore: () => state.delay },
    bringUp: async ({ bringUps, gateways }) => {
      call(`bring up ${bringUps.map(({ vif }) => vif.key)} with ${gateways.length} gateways`);
      if (state.failure !== undefined) throw state.failure;
      await state.hang;
      return bringUps.map(({ vif }) => ({ vif, outcome }));
    },
    mayOpen: () => state.mayOpen,
    waited: () => call('waited'),
    worked: (error) => call(error === undefined ? 'worked' : `worked: ${error}`),
  });
  const settled = () => Promise.all(planWorker.workers.map((worker) => worker.settled()));
  const run = async (plan: Plan): Promise<readonly string[]> => {
    planWorker.start(plan);
    await settled();
    return calls.splice(0);
  };
  return { planWorker, state, calls, run, settled };
};

test('opens all vifs in one round, marks its links as busy, then observes the links', async () => {
  const { planWorker, calls, settled } = openFakes();
  planWorker.start(todo);
  expect(planWorker.workers.flatMap((worker) => worker.busy())).toEqual(['vif3.0', 'vif4.0']);
  await settled();
  expect(calls).toEqual([
    'record 3/0,4/0',
    'bring up 3/0,4/0 with 2 gateways',
    'touch {"key":"3/0","node":"hotplug-status"}',
    'succeeded 3/0',
    'touch {"key":"4/0","node":"hotplug-status"}',
    'succeeded 4/0',
    'invalidate links',
    'worked',
  ]);
});

test('a plan without work, or with vifs that must wait, starts no round', async () => {
  const { run, state } = openFakes();
  expect(await run(nothingToDo)).toEqual([]);
  state.blocked = new Set(['3/0', 'repair 4/0']);
  expect(await run({ ...nothingToDo, bringUp: todo.bringUp })).toEqual([]);
});

test('a vif that must wait delays no other vif', async () => {
  const { run, state } = openFakes();
  state.blocked = new Set(['3/0']);
  expect(await run(todo)).toContain('bring up 4/0 with 2 gateways');
});

test('a vif whose last attempt failed is brought up alone, so that it delays no other vif', async () => {
  const { planWorker, state, calls, settled } = openFakes();
  const hanging = deferred<void>();
  state.failed = new Set(['3/0']);
  state.hang = hanging.promise;
  planWorker.start({ ...nothingToDo, bringUp: todo.bringUp.slice(0, 1) });
  expect(planWorker.isBusyTogether()).toBe(false);
  planWorker.start({ ...todo, bringUp: todo.bringUp.slice(1) });
  expect(planWorker.isBusyTogether()).toBe(true);
  expect(calls.filter((call) => call.startsWith('bring up'))).toEqual([
    'bring up 3/0 with 0 gateways',
    'bring up 4/0 with 2 gateways',
  ]);
  hanging.resolve();
  await settled();
});

test('no round starts while all vifs must stay closed', async () => {
  const { run, state } = openFakes();
  state.mayOpen = false;
  expect(await run(todo)).toEqual([]);
});

test('the wait for more links precedes the round, which a later pass starts', async () => {
  const { run, planWorker, state, calls, settled } = openFakes();
  const wait = deferred<void>();
  state.delay = () => wait.promise;
  planWorker.start(todo);
  state.delay = undefined;
  planWorker.start(todo);
  expect(calls).toEqual([]);
  wait.resolve();
  await settled();
  expect(calls.splice(0)).toEqual(['waited']);
  expect(await run(todo)).toContain('bring up 3/0,4/0 with 2 gateways');
});

test.each([
  ['guarded', ['succeeded 3/0']],
  ['gone', ['touch {"key":"3/0"}', 'succeeded 3/0']],
  [
    { code: 'LINK_FAILED', text: 'ip failed' },
    ['touch {"key":"3/0"}', 'failed 3/0 LINK_FAILED', 'invalidate elements'],
  ],
] as const)('records the outcome %j', async (outcome, expected) => {
  const { run, state } = openFakes(outcome);
  state.blocked = new Set(['4/0']);
  const calls = await run(todo);
  expect(calls.slice(2, 2 + expected.length)).toEqual(expected);
  expect(calls[2 + expected.length]).toBe('invalidate links');
});

test('a round that fails has the links observed, since some may be open', async () => {
  const { run, state } = openFakes();
  state.failure = new Error('ip failed');
  const calls = await run(todo);
  expect(calls.slice(-2)).toEqual(['invalidate links', 'worked: Error: ip failed']);
});

test('a round of rules only leaves the links as they are', async () => {
  const { run } = openFakes('guarded');
  const bringUp = todo.bringUp.map((item) => ({ ...item, open: false }));
  expect(await run({ ...todo, bringUp, gateways: [] })).not.toContain('invalidate links');
});
