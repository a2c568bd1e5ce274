/** The worker that closes vifs, with fakes of its neighbours that record each call. */
import { expect, test } from 'vitest';
import { openFailedAttempts } from '../../../src/network/daemon/failed-attempts.ts';
import {
  openTakeDownWorker,
  type Removals,
  takeDown,
  type Unremoved,
} from '../../../src/network/daemon/take-down-worker.ts';
import type { Plan } from '../../../src/network/plan/plan.ts';
import { keyOfRoute, type Route } from '../../../src/network/state/kernel-state.ts';
import type { VifKey } from '../../../src/network/vif/backend-vif.ts';
import { CommandError } from '../../../src/system/command.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { converge, modelOf, planFor } from '../plan/model-kernel.ts';
import { backendVif } from '../store-fixture.ts';

const idle: Plan = planFor(converge(modelOf([backendVif(3)])));
const nothing = { links: [], routes: [], neighbours: [] };

const openFakes = (failure?: Error) => {
  const calls: string[] = [];
  const state = {
    nowMs: 0,
    unremoved: [] as Unremoved[],
    failure: undefined as CommandError | undefined,
  };
  const removals: Removals = openFailedAttempts(() => state.nowMs);
  const planWorker = openTakeDownWorker({
    observed: {
      touch: (change) => calls.push(`touch ${JSON.stringify(change)}`),
      invalidateLinks: () => calls.push('invalidate links'),
    },
    repair: {
      logExcess: ({ routes = [] }) => calls.push(`excess ${routes.map(keyOfRoute)}`),
    },
    takeDown: async ({ takeDown, finish }) => {
      calls.push(`take down ${[...takeDown.links, ...finish]}`);
      if (failure !== undefined) throw failure;
      return { unremoved: state.unremoved, failure: state.failure };
    },
    removals,
    requeueAfter: (ms) => calls.push(`requeue after ${ms}`),
    worked: (error) => calls.push(error === undefined ? 'worked' : `worked: ${error}`),
  });
  const [worker] = planWorker.workers;
  if (worker === undefined) throw new Error('there is no worker');
  return { planWorker, worker, calls, state, removals };
};

test('a plan without links, routes, neighbours and finished vifs starts nothing', () => {
  const { planWorker, worker } = openFakes();
  planWorker.start({ ...idle, takeDown: nothing, finish: [] });
  expect(worker.isIdle()).toBe(true);
});

test('reads a finished vif again and observes the links after the removal', async () => {
  const { planWorker, worker, calls } = openFakes();
  planWorker.start({
    ...idle,
    takeDown: { ...nothing, links: [linkNameOf('web')] },
    finish: ['3/0'],
  });
  expect(worker.busy()).toEqual(['web', 'vif3.0']);
  planWorker.start({ ...idle, takeDown: nothing, finish: ['4/0'] });
  await worker.settled();
  expect(calls).toEqual([
    'excess ',
    'take down web,3/0',
    'touch {"key":"3/0"}',
    'invalidate links',
    'worked',
  ]);
});

test('logs excess routes only of links that stay up', async () => {
  const { planWorker, worker, calls } = openFakes();
  const routeOf = (name: string): Route => ({
    prefix: '10.0.5.9',
    link: linkNameOf(name),
    via: undefined,
  });
  const routes = [routeOf('vif3.0'), routeOf('vif4.0')];
  planWorker.start({
    ...idle,
    takeDown: { ...nothing, links: [linkNameOf('vif3.0')], routes },
    finish: [],
  });
  expect(worker.busy()).toEqual(['vif3.0', 'vif3.0', 'vif4.0']);
  await worker.settled();
  expect(calls[0]).toBe(`excess ${keyOfRoute(routeOf('vif4.0'))}`);
});

test('a failed removal is reported, and nothing is read again for it', async () => {
  const { planWorker, worker, calls } = openFakes(new Error('ip failed'));
  planWorker.start({ ...idle, takeDown: nothing, finish: ['3/0'] });
  await worker.settled();
  expect(calls.slice(1)).toEqual(['take down 3/0', 'worked: Error: ip failed']);
});

test('a directory that xenstored does not remove is tried again later, and delays no other vif', async () => {
  const { planWorker, worker, calls, state, removals } = openFakes();
  const run = async (...finish: readonly VifKey[]): Promise<readonly string[]> => {
    planWorker.start({ ...idle, takeDown: nothing, finish });
    await worker.settled();
    return calls.splice(0).filter((call) => /^(take|requeue)/.test(call));
  };
  state.unremoved = [{ key: '3/0', problem: { code: 'XENSTORE_FAILED', text: 'EAGAIN' } }];
  expect(await run('3/0', '4/0')).toEqual(['take down 3/0,4/0']);
  expect(removals.failureOf('3/0')?.code).toBe('XENSTORE_FAILED');
  expect(removals.failureOf('4/0')).toBe(undefined);
  expect(await run('3/0', '5/0')).toEqual(['requeue after 100', 'take down 5/0']);
  state.nowMs = 100;
  state.unremoved = [];
  expect(await run('3/0')).toEqual(['take down 3/0']);
  expect(removals.failureOf('3/0')).toBe(undefined);
});

const overdue = new CommandError(['ip'], 'no answer within 10 s', '');

test('a link that could not be closed is a failure of the work, which has finished the other vifs', async () => {
  const { planWorker, worker, calls, state } = openFakes();
  state.failure = overdue;
  planWorker.start({ ...idle, takeDown: nothing, finish: ['3/0'] });
  await worker.settled();
  expect(calls.slice(1)).toEqual([
    'take down 3/0',
    'touch {"key":"3/0"}',
    'invalidate links',
    `worked: ${overdue}`,
  ]);
});

test('an ip that does not answer for one link delays no other link and no removal', async () => {
  const calls: string[] = [];
  const ports = {
    network: {
      ipBatches: {
        run: async (lines: readonly string[]) => {
          if (lines.some((line) => line.includes('vif3.0'))) throw overdue;
          calls.push(...lines);
        },
      },
    },
    backend: { remove: async (key: VifKey) => calls.push(`remove ${key}`) },
  } as unknown as Parameters<typeof takeDown>[1];
  const links = [linkNameOf('vif3.0'), linkNameOf('vif4.0')];
  const neighbours = links.map((link) => ({ link, address: '10.0.5.9', mac: undefined }));
  const closing = { ...nothing, links, neighbours };
  expect(await takeDown({ takeDown: closing, finish: ['4/0'] }, ports)).toEqual({
    unremoved: [],
    failure: overdue,
  });
  expect(calls).toEqual([
    'link set dev vif4.0 down',
    'neigh del proxy 10.0.5.9 dev vif4.0',
    'remove 4/0',
  ]);
});
