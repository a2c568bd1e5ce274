/** One pass, with fakes of the store, the kernel and the workers that record each call. */
import { expect, test } from 'vitest';
import type { Problem } from '../../../src/errors.ts';
import { openPasses, type PassParts } from '../../../src/network/daemon/pass.ts';
import type { Plan } from '../../../src/network/plan/plan.ts';
import type { BackendVif, VifKey } from '../../../src/network/vif/backend-vif.ts';
import type { ServedVif } from '../../../src/network/vif/served-vif.ts';
import { modelOf } from '../plan/model-kernel.ts';
import { backendVif, prefix, vmPolicy } from '../store-fixture.ts';

const openFakes = (...vifs: readonly BackendVif[]) => {
  const calls: string[] = [];
  const plans: Plan[] = [];
  const model = modelOf(vifs);
  const state = {
    failures: new Map<VifKey, Problem>(),
    busy: new Set<string>(),
    busyAfterRefresh: new Set<string>(),
    hasQuota: true,
    isPanic: false,
    linkDueMs: undefined as number | undefined,
    policyDueMs: undefined as number | undefined,
  };
  const parts = {
    config: {
      uplinks: undefined,
      gateways: [prefix('10.0.5.1')],
      allowed: new Map(),
      masquerade: false,
      forwards: [],
      mssClamp: false,
    },
    observed: {
      vifs: () => model.vifs,
      names: () => new Map([[3, 'web']]),
      kernel: () => model.kernel,
      current: () => ({ links: true, elements: true }),
      refusedMtus: () => new Map(),
      refresh: async () => {
        calls.push('refresh');
        state.busy = state.busyAfterRefresh;
      },
      touch: ({ key }: { key: VifKey }) => calls.push(`touch ${key}`),
    },
    workers: {
      busy: () => state.busy,
      leaving: () => new Set(),
      start: (todo: Plan) => {
        calls.push('start');
        plans.push(todo);
      },
    },
    network: { linkNames: () => new Set(model.kernel.links.keys()) },
    backend: {
      markError: async (key: VifKey, text: string) => {
        calls.push(`mark ${key} ${text}`);
        return state.hasQuota;
      },
    },
    linkTimeout: {
      problemOf: ({ vif }: { vif: BackendVif }) => state.failures.get(vif.key),
      review: () => state.linkDueMs,
    },
    policies: {
      policyFor: () => () => () => vmPolicy,
      commonChains: () => vmPolicy.chains,
      dueInMs: () => state.policyDueMs,
    },
    repairBackoff: { problemOf: () => undefined },
    guard: { isPanic: () => state.isPanic },
    repair: {
      maySwitchForwardingOn: () => false,
      closed: (vifs: readonly ServedVif[]) => calls.push(`closed ${vifs.map(({ key }) => key)}`),
    },
    kernelSizes: { keep: () => undefined },
    vifHistory: {
      record: () => {
        calls.push('record');
        return undefined;
      },
    },
    ingressMayPrecede: true,
    requeueAfter: (ms: number) => calls.push(`requeue after ${ms}`),
  } as unknown as PassParts;
  const passes = openPasses(parts);
  const run = async () => {
    await passes.run();
    return { calls: calls.splice(0), plan: plans.pop() };
  };
  return { passes, run, state };
};

test('reads the changes, starts the plan, then records the history', async () => {
  const { passes, run } = openFakes(backendVif(3));
  expect(passes.decisions()).toEqual([]);
  const { calls, plan } = await run();
  expect(calls).toEqual(['refresh', 'start', 'record']);
  expect(plan?.bringUp.map(({ served }) => served.key)).toEqual(['3/0']);
  expect(passes.decisions().map(({ kind }) => kind)).toEqual(['served']);
});

test('in panic mode, plans to set the vifs down, and expects them to be down later', async () => {
  const { run, state } = openFakes(backendVif(3));
  state.isPanic = true;
  const { calls, plan } = await run();
  expect(calls).toEqual(['refresh', 'closed 3/0', 'start', 'record']);
  expect(plan?.bringUp).toMatchObject([{ served: { key: '3/0' }, stayDown: true }]);
});

test('without configured uplinks, each link except lo and vifs is an uplink', async () => {
  const { run } = openFakes(backendVif(3));
  const { plan } = await run();
  const uplinks = plan?.host.elements.filter(({ set }) => set === 'uplink');
  expect(uplinks).toEqual([{ set: 'uplink', link: 'eth0' }]);
});

test('plans nothing for a link that a worker changed before or after the reads', async () => {
  const { run, state } = openFakes(backendVif(3), backendVif(4), backendVif(5));
  state.busy = new Set(['vif3.0']);
  state.busyAfterRefresh = new Set(['vif4.0']);
  const { plan } = await run();
  expect(plan?.bringUp.map(({ served }) => served.key)).toEqual(['5/0']);
});

test('requests the pass in which a link or a rule is due', async () => {
  const { run, state } = openFakes(backendVif(3));
  state.linkDueMs = 1_000;
  state.policyDueMs = 60_000;
  expect((await run()).calls).toEqual([
    'refresh',
    'start',
    'record',
    'requeue after 1000',
    'requeue after 60000',
  ]);
});

test('marks refused and failed vifs, and reads them again', async () => {
  const { run, state } = openFakes(backendVif(3), backendVif(4, { mac: 'none' }));
  state.failures.set('3/0', { code: 'LINK_FAILED', text: 'ip failed' });
  expect((await run()).calls.slice(3)).toEqual([
    'mark 4/0 vifwatch: MAC_INVALID',
    'mark 3/0 vifwatch: LINK_FAILED',
    'touch 4/0',
    'touch 3/0',
  ]);
});

test('a mark that a full quota refused is tried again after a second', async () => {
  const { run, state } = openFakes(backendVif(4, { mac: 'none' }));
  state.hasQuota = false;
  expect((await run()).calls.slice(-2)).toEqual(['touch 4/0', 'requeue after 1000']);
});
