/** The workers together: order, failures and observations, with a network that only records. */
import { pino } from 'pino';
import { NEVER } from 'rxjs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openFailedAttempts } from '../../../src/network/daemon/failed-attempts.ts';
import { openWorkers, type WorkerParts } from '../../../src/network/daemon/workers.ts';
import type { Plan } from '../../../src/network/plan/plan.ts';
import { CommandError } from '../../../src/system/command.ts';
import { deferred } from '../../../src/system/deferred.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { converge, modelOf, planFor } from '../plan/model-kernel.ts';
import { backendVif } from '../store-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const idle: Plan = planFor(converge(modelOf([backendVif(3)])));
const closing: Plan = { ...idle, takeDown: { ...idle.takeDown, links: [linkNameOf('vif3.0')] } };
const garbage: Plan = { ...idle, garbage: { elements: [], chains: ['out-a'] } };

const openFakes = () => {
  const calls: string[] = [];
  const lines: string[] = [];
  const due = { links: false, elements: false, verification: false };
  const ipBatch = { run: async (): Promise<void> => {} };
  const parts = {
    observed: {
      due: () => due,
      vifs: () => new Map(),
      touch: () => {},
      invalidateLinks: () => calls.push('invalidate links'),
      invalidateElements: () => calls.push('invalidate elements'),
      removed: () => calls.push('removed'),
      observeLinks: async () => calls.push('observe links'),
      observeElements: async () => calls.push('observe elements'),
    },
    network: {
      hasLink: () => true,
      ipBatches: { run: () => ipBatch.run() },
      cutFlows: async () => {},
      nft: { remove: async () => {} },
    },
    removals: openFailedAttempts(() => 0),
    flowCuts: {
      expect: () => {},
      expectAll: () => calls.push('expect all cuts'),
      due: () => ({ together: [], alone: [], retryInMs: undefined }),
    },
    repair: { logExcess: () => {}, gatewaysToAdd: () => [], record: () => {} },
    mayOpen: () => true,
    linkChanges: NEVER,
    log: pino({ base: null }, { write: (line) => lines.push(line) }),
    requeue: () => calls.push('requeue'),
    requeueAfter: (ms: number) => calls.push(`requeue after ${ms}`),
    fail: (error: unknown) => calls.push(`fail: ${error}`),
  } as unknown as WorkerParts;
  return { workers: openWorkers(parts), calls, lines, due, ipBatch };
};

test('an idle plan starts nothing', async () => {
  const { workers, calls } = openFakes();
  workers.start(idle);
  expect(workers.busy()).toEqual(new Set());
  expect(workers.isBringingUp()).toBe(false);
  await workers.settled();
  expect(calls).toEqual([]);
});

test('slow work delays no other worker, and its links stay busy', async () => {
  const { workers, calls, ipBatch } = openFakes();
  const slow = deferred<void>();
  ipBatch.run = () => slow.promise;
  workers.start({ ...closing, garbage: garbage.garbage });
  await vi.waitFor(() => expect(calls).toEqual(['removed', 'requeue']));
  expect(workers.busy()).toEqual(new Set(['vif3.0']));
  slow.resolve();
  await workers.settled();
  expect(calls).toEqual(['removed', 'requeue', 'invalidate links', 'requeue']);
});

test('after the removal of a forward, all flows are judged', async () => {
  const { workers, calls } = openFakes();
  const element = { set: 'forward_port', proto: 'tcp', port: 7, toPort: 7 } as const;
  workers.start({ ...idle, garbage: { elements: [element], chains: [] } });
  await workers.settled();
  expect(calls).toEqual(['removed', 'expect all cuts', 'requeue', 'requeue']);
});

test('a failed program is logged, shown in status, and tried again after a second', async () => {
  const { workers, calls, lines, ipBatch } = openFakes();
  const error = new CommandError(['ip'], 'exit status 1', '');
  ipBatch.run = () => Promise.reject(error);
  workers.start(closing);
  await workers.settled();
  expect(calls).toEqual(['invalidate links', 'invalidate elements', 'requeue after 1000']);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ code: 'COMMAND_FAILED', level: 50 });
  expect(workers.lastCommandError()).toBe(error);
  ipBatch.run = async () => {};
  workers.start(closing);
  await workers.settled();
  expect(workers.lastCommandError()).toBe(undefined);
});

test('any other error ends the daemon', async () => {
  const { workers, calls, ipBatch } = openFakes();
  ipBatch.run = () => Promise.reject(new Error('xenstored is gone'));
  workers.start(closing);
  await workers.settled();
  expect(calls).toEqual(['invalidate elements', 'fail: Error: xenstored is gone']);
  expect(workers.lastCommandError()).toBe(undefined);
});

test('observes stale state, but not while a worker works nor right after that', async () => {
  const { workers, calls, due } = openFakes();
  due.links = true;
  due.elements = true;
  workers.start(closing);
  await workers.settled();
  workers.start(idle);
  expect(calls.splice(0)).toEqual([
    'requeue after 301',
    'invalidate links',
    'requeue',
    'requeue after 30',
  ]);
  vi.advanceTimersByTime(30);
  workers.start(idle);
  await workers.settled();
  expect(calls).toEqual(['observe links', 'observe elements', 'requeue', 'requeue']);
});
