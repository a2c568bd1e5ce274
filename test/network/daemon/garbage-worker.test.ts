/** The worker that removes unused elements and chains, with fakes that record each call. */
import { expect, test } from 'vitest';
import { openGarbageWorker } from '../../../src/network/daemon/garbage-worker.ts';
import type { Plan } from '../../../src/network/plan/plan.ts';
import { keyOfElement } from '../../../src/network/state/element.ts';
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
    garbageCollect: async () => {
      calls.push('collect');
      if (failure !== undefined) throw failure;
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
