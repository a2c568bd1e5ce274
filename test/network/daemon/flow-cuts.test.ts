/** Cuts of flows that the configuration forbids, with a conntrack that only records, and a manual clock. */
import { expect, test } from 'vitest';
import { openFlowCutWorker } from '../../../src/network/daemon/flow-cut-worker.ts';
import { openFlowCuts } from '../../../src/network/daemon/flow-cuts.ts';
import type { Plan } from '../../../src/network/plan/plan.ts';
import { CommandError } from '../../../src/system/command.ts';
import { deferred } from '../../../src/system/deferred.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { converge, modelOf, planFor } from '../plan/model-kernel.ts';
import { backendVif, emptyKernel } from '../store-fixture.ts';

const model = modelOf([3, 4, 5].map((domid) => backendVif(domid)));
const todo: Plan = planFor(model);
/** The kernel in which the rules for all vifs stand. */
const { kernel: converged } = converge(model);
const without = (gone: string): Plan => ({
  ...todo,
  served: todo.served.filter(({ link }) => link !== gone),
});

const broken = new CommandError(['conntrack'], 'exit status 1', '');

const openFakes = () => {
  const calls: string[] = [];
  const state = {
    nowMs: 0,
    /** For each judgement: whether the flows may come from an earlier daemon. */
    starts: [] as boolean[],
    kernel: emptyKernel,
    /** Fails or hangs a run of conntrack that contains the address. */
    cut: async (_addresses: readonly string[], _isExact: boolean): Promise<void> => {},
  };
  const conntrack = (addresses: readonly string[], isExact: boolean): Promise<void> => {
    calls.push(`${isExact ? 'forbidden' : 'all'} of ${addresses}`);
    return state.cut(addresses, isExact);
  };
  const flowCuts = openFlowCuts(
    {
      config: { forwards: [], masquerade: false, gateways: [] },
      network: {
        cutFlowsUnless: (prefixes) =>
          conntrack(
            prefixes.map(({ text }) => text),
            true,
          ),
        cutFlows: (addresses) => conntrack(addresses, false),
      },
      policies: {
        flowFacts: (atStart) => {
          state.starts.push(atStart);
          return { nowS: 0, everOf: () => undefined, addressesOf: () => undefined };
        },
      },
      observed: { kernel: () => state.kernel },
      log: { warn: () => calls.push('warn') },
    },
    () => state.nowMs,
  );
  const worker = openFlowCutWorker({
    flowCuts,
    ended: (error) => {
      if (error !== undefined) calls.push(`ended: ${error}`);
    },
    requeueAfter: (ms) => calls.push(`requeue after ${ms}`),
  });
  const settled = () => Promise.all(worker.workers.map((one) => one.settled()));
  const run = async (plan: Plan = todo): Promise<readonly string[]> => {
    worker.start(plan);
    await settled();
    return calls.splice(0);
  };
  const expectCuts = (...links: readonly string[]): void => flowCuts.expect(links.map(linkNameOf));
  return { flowCuts, expectCuts, worker, state, calls, run, settled };
};

/** The fakes after the cuts of the first plan. */
const openStarted = async () => {
  const fakes = openFakes();
  await fakes.run();
  return fakes;
};

test('the first plan has the flows of all vifs judged, once', async () => {
  const { run } = openFakes();
  expect(await run()).toEqual(['forbidden of 10.0.5.3,10.0.5.4,10.0.5.5']);
  expect(await run()).toEqual([]);
});

test('flows that were there at the start are judged as such once, apart from other flows', async () => {
  const { run, expectCuts, state } = openFakes();
  const served = todo.served.slice(0, 2);
  state.cut = () => Promise.reject(broken);
  await run({ ...todo, served: served.slice(0, 1) });
  state.cut = async () => {};
  state.nowMs = 100;
  expectCuts('vif4.0');
  await run({ ...todo, served });
  expectCuts('vif3.0', 'vif4.0');
  await run({ ...todo, served });
  // vif3.0 in vain, vif4.0, vif3.0 alone, then both.
  expect(state.starts).toEqual([true, false, true, false]);
});

test('later, only flows of vifs with new rules are judged', async () => {
  const { run, expectCuts } = await openStarted();
  expectCuts('vif4.0', 'vif9.0');
  expect(await run()).toEqual(['forbidden of 10.0.5.4']);
  expect(await run()).toEqual([]);
});

test('rules that change during a cut lead to another cut', async () => {
  const { run, expectCuts, state } = await openStarted();
  expectCuts('vif4.0');
  state.cut = async () => expectCuts('vif4.0');
  await run();
  state.cut = async () => {};
  expect(await run()).toEqual(['forbidden of 10.0.5.4']);
});

test('after a failure, each vif is cut alone; the exact cut is tried first, then all flows are cut', async () => {
  const { run, flowCuts, expectCuts, state } = await openStarted();
  expectCuts('vif3.0', 'vif4.0');
  let isListable = false;
  state.cut = async (addresses, isExact) => {
    if (!isExact) isListable = true;
    else if (addresses.includes('10.0.5.3') && !isListable) throw broken;
  };
  expect(await run()).toEqual(['forbidden of 10.0.5.3,10.0.5.4']);
  expect(flowCuts.problemOf('4/0')?.code).toBe('FLOW_CUT_FAILED');
  expect(await run()).toEqual(['requeue after 100']);
  state.nowMs = 100;
  expect(await run()).toEqual([
    'forbidden of 10.0.5.3',
    'forbidden of 10.0.5.4',
    'all of 10.0.5.3',
    'warn',
    'forbidden of 10.0.5.3',
  ]);
  expect(flowCuts.problemOf('3/0')).toBe(undefined);
  expect(flowCuts.problemOf('4/0')).toBe(undefined);
  expect(await run()).toEqual([]);
});

test('a cut that always fails is tried again after growing waits, and delays no other vif', async () => {
  const { run, flowCuts, expectCuts, state } = await openStarted();
  expectCuts('vif3.0');
  state.cut = async (addresses) => {
    if (addresses.includes('10.0.5.3')) throw broken;
  };
  await run();
  state.nowMs = 100;
  expect(await run()).toEqual(['forbidden of 10.0.5.3', 'all of 10.0.5.3']);
  expectCuts('vif4.0');
  expect(await run()).toEqual(['requeue after 200', 'forbidden of 10.0.5.4']);
  expect(flowCuts.problemOf('3/0')?.text).toBe(
    'flows that the policy forbids may go on: conntrack: exit status 1',
  );
});

test('a cut that hangs delays no other vif', async () => {
  const { worker, expectCuts, state, calls, settled } = await openStarted();
  expectCuts('vif3.0');
  state.cut = () => Promise.reject(broken);
  worker.start(todo);
  await settled();
  const hanging = deferred<void>();
  state.cut = (addresses) => (addresses.includes('10.0.5.3') ? hanging.promise : Promise.resolve());
  state.nowMs = 100;
  calls.length = 0;
  worker.start(todo);
  expectCuts('vif3.0', 'vif4.0');
  worker.start(todo);
  expect(calls).toEqual(['forbidden of 10.0.5.3', 'forbidden of 10.0.5.4']);
  hanging.resolve();
  await settled();
});

test('a vif whose flows cannot be listed keeps its problem, though all its flows were cut', async () => {
  const { run, flowCuts, expectCuts, state } = await openStarted();
  expectCuts('vif3.0');
  state.cut = async (_, isExact) => {
    if (isExact) throw broken;
  };
  await run();
  state.nowMs = 100;
  await run();
  expect(flowCuts.problemOf('3/0')?.code).toBe('FLOW_CUT_FAILED');
});

test('a vif that is not served any more needs no cut, and its failure is forgotten', async () => {
  const { run, flowCuts, expectCuts, state } = await openStarted();
  expectCuts('vif3.0');
  state.cut = () => Promise.reject(broken);
  await run();
  expect(await run(without('vif3.0'))).toEqual([]);
  expect(flowCuts.problemOf('3/0')).toBe(undefined);
  state.cut = async () => {};
  expect(await run()).toEqual([]);
});

test('a vif that is served again before its rules are removed needs its cut still', async () => {
  const { run, expectCuts, state } = await openStarted();
  state.kernel = converged;
  expectCuts('vif3.0');
  await run(without('vif3.0'));
  expect(await run()).toEqual(['forbidden of 10.0.5.3']);
  expect(await run()).toEqual([]);
});

test('flows of an address that passes to another vif are judged', async () => {
  const { run, state } = openFakes();
  state.kernel = converged;
  await run(without('vif4.0'));
  expect(await run()).toEqual(['forbidden of 10.0.5.4']);
});

test('after a change for all vifs, all flows are judged', async () => {
  const { run, flowCuts } = await openStarted();
  flowCuts.expectAll();
  expect(await run()).toEqual(['forbidden of 10.0.5.3,10.0.5.4,10.0.5.5']);
});

test('flows of a vif whose addresses are new to the firewall need no judgement', async () => {
  const { run } = openFakes();
  await run(without('vif4.0'));
  expect(await run()).toEqual([]);
});

test('flows of a vif with a new link name are judged', async () => {
  const { run, state } = await openStarted();
  state.kernel = converged;
  const served = todo.served.map((vif) =>
    vif.key === '3/0' ? { ...vif, link: linkNameOf('web') } : vif,
  );
  expect(await run({ ...todo, served })).toEqual(['forbidden of 10.0.5.3']);
});

test('any other error ends the work', async () => {
  const { run, expectCuts, state } = await openStarted();
  expectCuts('vif3.0');
  state.cut = () => Promise.reject(new Error('a fault of the daemon'));
  expect(await run()).toEqual(['forbidden of 10.0.5.3', 'ended: Error: a fault of the daemon']);
});
