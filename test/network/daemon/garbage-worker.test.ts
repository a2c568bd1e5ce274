/** The worker that removes unused elements and chains, with fakes that record each call. */
import { expect, test } from 'vitest';
import { garbageCollect, openGarbageWorker } from '../../../src/network/daemon/garbage-worker.ts';
import type { Plan } from '../../../src/network/plan/plan.ts';
import { type Element, keyOfElement } from '../../../src/network/state/element.ts';
import { CommandError } from '../../../src/system/command.ts';
import { converge, modelOf, planFor } from '../plan/model-kernel.ts';
import { backendVif } from '../store-fixture.ts';

const served = converge(modelOf([backendVif(3)]));
const idle: Plan = planFor(served);
const elements = [...served.kernel.elements.values()].filter(({ set }) => set === 'vif');

const openFakes = (failure?: Error) => {
  const calls: string[] = [];
  const planWorker = openGarbageWorker({
    observed: { removed: ({ chains }) => calls.push(`removed ${chains}`) },
    repair: {
      logExcess: (excess) => calls.push(`excess ${excess.elements?.map(keyOfElement)}`),
    },
    garbageCollect: async ({ garbage }, removed) => {
      calls.push('collect');
      if (failure !== undefined) throw failure;
      removed(garbage);
    },
    log: { debug: (fields: object) => calls.push(`log ${JSON.stringify(fields)}`) },
    worked: (error) => calls.push(error === undefined ? 'worked' : `worked: ${error}`),
  });
  const [worker] = planWorker.workers;
  if (worker === undefined) throw new Error('there is no worker');
  return { planWorker, worker, calls };
};

test('a plan without garbage starts nothing', () => {
  const { planWorker, worker, calls } = openFakes();
  planWorker.start(idle);
  expect(worker.isIdle()).toBe(true);
  expect(calls).toEqual([]);
});

test('records what it removed, and is busy with its links meanwhile', async () => {
  const { planWorker, worker, calls } = openFakes();
  planWorker.start({ ...idle, garbage: { elements, chains: ['out-a'] } });
  expect(worker.busy()).toEqual(['vif3.0']);
  planWorker.start({ ...idle, garbage: { elements: [], chains: ['out-b'] } });
  await worker.settled();
  expect(calls).toEqual([
    'excess vif vif3.0',
    'collect',
    'removed out-a',
    'log {"elements":["vif vif3.0"],"chains":["out-a"]}',
    'worked',
  ]);
});

test('a failed removal leaves the knowledge of the firewall as it is', async () => {
  const { planWorker, worker, calls } = openFakes(new Error('nft failed'));
  planWorker.start({ ...idle, garbage: { elements: [], chains: ['out-a'] } });
  await worker.settled();
  expect(calls.slice(1)).toEqual(['collect', 'worked: Error: nft failed']);
});

/** Collects garbage with an nft that refuses each removal of the chain `out-used`. */
const collect = async (chains: readonly string[]) => {
  const calls: string[] = [];
  const removed: string[] = [];
  const text = ({ elements: own, chains: names }: Plan['garbage']): string =>
    [...own.map(keyOfElement), ...names].join();
  const collecting = garbageCollect(
    { garbage: { elements, chains }, cut: ['10.0.5.3'] },
    {
      cutFlows: async (prefixes) => void calls.push(`cut ${prefixes}`),
      nft: {
        remove: async (what) => {
          calls.push(text(what));
          if (what.chains.includes('out-used')) throw new CommandError(['nft'], 'busy', '');
        },
      },
    },
    (what) => removed.push(text(what)),
  );
  const failure = await collecting.then(
    () => undefined,
    (error) => error,
  );
  return { calls, removed, failure };
};

test('cuts the flows first, then removes everything together', async () => {
  const { calls, removed, failure } = await collect(['out-a']);
  expect(calls).toEqual(['cut 10.0.5.3', 'vif vif3.0,out-a']);
  expect(removed).toEqual(['vif vif3.0,out-a']);
  expect(failure).toBe(undefined);
});

test('a chain that nft cannot remove keeps no other garbage in place, and is reported', async () => {
  const { calls, removed, failure } = await collect(['out-used', 'out-a']);
  expect(calls.slice(1)).toEqual(['vif vif3.0,out-used,out-a', 'vif vif3.0', 'out-used', 'out-a']);
  expect(removed).toEqual(['vif vif3.0', 'out-a']);
  expect(failure).toBeInstanceOf(CommandError);
});

test('tells which addresses are leaving until it has removed their elements', async () => {
  const { planWorker, worker } = openFakes();
  const live: Element = { set: 'live4', prefix: '10.0.5.3' };
  planWorker.start({ ...idle, garbage: { elements: [live], chains: [] } });
  expect(planWorker.leaving()).toEqual(new Set(['10.0.5.3']));
  await worker.settled();
  expect(planWorker.leaving()).toEqual(new Set());
});
