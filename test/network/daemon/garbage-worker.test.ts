/** The worker that removes unused elements and chains, with fakes that record each call. */
import { expect, test } from 'vitest';
import { garbageCollect, openGarbageWorker } from '../../../src/network/daemon/garbage-worker.ts';
import type { Garbage, Plan } from '../../../src/network/plan/plan.ts';
import { type Element, keyOfElement } from '../../../src/network/state/element.ts';
import { CommandError } from '../../../src/system/command.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { converge, modelOf, planFor } from '../plan/model-kernel.ts';
import { backendVif } from '../store-fixture.ts';

const served = converge(modelOf([backendVif(3)]));
const idle: Plan = planFor(served);
const elements = [...served.kernel.elements.values()].filter(({ set }) => set === 'vif');

const openFakes = () => {
  const calls: string[] = [];
  const state = {
    cut: async (_addresses: readonly string[]): Promise<void> => {},
    remove: async (_what: Garbage): Promise<void> => {},
  };
  const textOf = ({ elements, chains }: Garbage): string =>
    [...elements.map(keyOfElement), ...chains].join(', ');
  const planWorker = openGarbageWorker({
    repair: {
      logExcess: (excess) => calls.push(`excess ${excess.elements?.map(keyOfElement)}`),
    },
    garbageCollect: (todo) =>
      garbageCollect(todo, {
        network: {
          cutFlows: async (addresses) => {
            if (addresses.length > 0) calls.push(`cut ${addresses}`);
            await state.cut(addresses);
          },
          nft: {
            remove: async (what) => {
              calls.push(`remove ${textOf(what)}`);
              await state.remove(what);
            },
          },
        },
        removed: (what) => calls.push(`removed ${textOf(what)}`),
        log: { debug: () => {} },
      }),
    worked: (error) => calls.push(error === undefined ? 'worked' : `worked: ${error}`),
  });
  const [worker] = planWorker.workers;
  if (worker === undefined) throw new Error('there is no worker');
  const run = async (plan: Plan): Promise<readonly string[]> => {
    planWorker.start(plan);
    await worker.settled();
    return calls.splice(0);
  };
  return { planWorker, worker, state, run };
};

const broken = new CommandError(['nft'], 'exit status 1', '');
const forward: Element = { set: 'forward_port', proto: 'tcp', port: 7, toPort: 7 };
const addressOf = (link: string, prefix: string): Element[] => [
  { set: 'address4', link: linkNameOf(link), prefix },
  { set: 'live4', prefix },
];
const removedOf = (calls: readonly string[]): readonly string[] =>
  calls.filter((call) => /^(removed|cut|worked)/.test(call));

test('a plan without garbage starts nothing', async () => {
  const { worker, run } = openFakes();
  expect(await run(idle)).toEqual([]);
  expect(worker.isIdle()).toBe(true);
});

test('removes all in one transaction, and is busy with its links meanwhile', async () => {
  const { planWorker, worker, run } = openFakes();
  planWorker.start({ ...idle, garbage: { elements, chains: ['out-a'] } });
  expect(worker.busy()).toEqual(['vif3.0']);
  expect(await run({ ...idle, garbage: { elements: [], chains: ['out-b'] } })).toEqual([
    'excess vif vif3.0',
    'remove vif vif3.0, out-a',
    'removed vif vif3.0, out-a',
    'worked',
  ]);
});

test('a chain that nft does not remove keeps no other garbage', async () => {
  const { run, state } = openFakes();
  state.remove = async ({ chains }) => {
    if (chains.includes('out-a')) throw broken;
  };
  const calls = await run({ ...idle, garbage: { elements, chains: ['out-a', 'out-b'] } });
  expect(removedOf(calls)).toEqual([
    'removed vif vif3.0',
    'removed out-b',
    'worked: CommandError: nft: exit status 1',
  ]);
});

test('shares that nft removes only one by one are no failure', async () => {
  const { run, state } = openFakes();
  state.remove = async (what) => {
    if (what.chains.length > 1) throw broken;
  };
  const calls = await run({ ...idle, garbage: { elements: [], chains: ['out-a', 'out-b'] } });
  expect(removedOf(calls)).toEqual(['removed out-a', 'removed out-b', 'worked']);
});

test('a forward is removed before any cut, and a cut that fails keeps only its own rules', async () => {
  const { run, state } = openFakes();
  state.cut = async (addresses) => {
    if (addresses.includes('10.0.5.3')) throw broken;
  };
  const garbage = {
    elements: [...addressOf('vif3.0', '10.0.5.3'), ...addressOf('vif4.0', '10.0.5.4'), forward],
    chains: [],
  };
  const calls = await run({ ...idle, garbage, cut: ['10.0.5.3', '10.0.5.4'] });
  expect(removedOf(calls)).toEqual([
    'removed forward_port tcp . 7 . 7',
    'cut 10.0.5.3,10.0.5.4',
    'cut 10.0.5.3',
    'cut 10.0.5.4',
    'removed address4 vif4.0 . 10.0.5.4, live4 10.0.5.4',
    'worked: CommandError: nft: exit status 1',
  ]);
});

test('any other error ends the work', async () => {
  const { run, state } = openFakes();
  state.remove = () => Promise.reject(new Error('a fault of the daemon'));
  const calls = await run({ ...idle, garbage: { elements: [], chains: ['out-a'] } });
  expect(calls.at(-1)).toBe('worked: Error: a fault of the daemon');
});

test('tells which addresses are leaving until it has removed their elements', async () => {
  const { planWorker, worker } = openFakes();
  planWorker.start({
    ...idle,
    garbage: { elements: addressOf('vif3.0', '10.0.5.3'), chains: [] },
  });
  expect(planWorker.leaving()).toEqual(new Set(['10.0.5.3']));
  await worker.settled();
  expect(planWorker.leaving()).toEqual(new Set());
});
