/** Cuts of flows that a new policy forbids. */
import { expect, test } from 'vitest';
import { openFlowCuts } from '../../../src/network/daemon/flow-cuts.ts';
import { modelOf, planFor } from '../plan/model-kernel.ts';
import { backendVif } from '../store-fixture.ts';

const served = planFor(modelOf([backendVif(3), backendVif(4)])).served;

const openCuts = (cutFlowsUnless: (prefixes: readonly string[]) => void = () => {}) => {
  const cuts: string[][] = [];
  const flowCuts = openFlowCuts({
    network: {
      cutFlowsUnless: async (prefixes) => {
        const texts = prefixes.map(({ text }) => text);
        cuts.push(texts);
        cutFlowsUnless(texts);
      },
    },
    policies: { allowsFlow: () => () => false },
    observed: { names: () => new Map() },
  });
  return { flowCuts, cuts };
};

test('cuts flows of the vifs with a new policy only, and only once', async () => {
  const { flowCuts, cuts } = openCuts();
  await flowCuts.cut(served);
  expect(cuts).toEqual([]);
  flowCuts.expect('4/0');
  expect(flowCuts.areDue()).toBe(true);
  await flowCuts.cut(served);
  expect(cuts).toEqual([['10.0.5.4']]);
  expect(flowCuts.areDue()).toBe(false);
});

test('a cut stays due if conntrack fails', async () => {
  const { flowCuts } = openCuts(() => {
    throw new Error('conntrack failed');
  });
  flowCuts.expect('3/0');
  await expect(flowCuts.cut(served)).rejects.toThrow('conntrack failed');
  expect(flowCuts.areDue()).toBe(true);
});

test('a vif that is not served any more needs no cut', async () => {
  const { flowCuts, cuts } = openCuts();
  flowCuts.expect('9/0');
  await flowCuts.cut(served);
  expect(cuts).toEqual([]);
  expect(flowCuts.areDue()).toBe(false);
});
