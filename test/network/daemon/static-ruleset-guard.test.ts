/** The guard of the static ruleset, with a kernel that only records, on a clock of its own. */
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openRepairBackoff } from '../../../src/network/daemon/repair-backoff.ts';
import { openStaticRulesetGuard } from '../../../src/network/daemon/static-ruleset-guard.ts';
import type { Network } from '../../../src/network/kernel/network.ts';
import { deferred } from '../../../src/system/deferred.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Each operation fails while its name is in `failing`. */
const openFakes = () => {
  const calls: string[] = [];
  const kernel = { isWhole: true, isPanic: false, failing: new Set<string>() };
  const call = async (name: string): Promise<void> => {
    calls.push(name);
    if (kernel.failing.has(name)) throw new Error(`${name} failed`);
  };
  const network = {
    staticRuleset: {
      load: async () => {
        await call('load');
        kernel.isWhole = true;
      },
      isWhole: async () => {
        await call('list');
        return kernel.isWhole;
      },
    },
    panic: {
      isPanic: async () => kernel.isPanic,
      panic: async () => {
        await call('panic');
        kernel.isPanic = true;
      },
    },
    linkNames: () => new Set(['eth0', 'vif3.0']),
    ipBatches: { run: () => call('close') },
    cutFlows: () => call('cut'),
  } as unknown as Network;
  const guard = openStaticRulesetGuard({
    network,
    repairBackoff: openRepairBackoff(() => performance.now()),
    log: pino({ base: null }, { write: () => {} }),
    addresses: () => ['10.0.5.3'],
    repaired: () => calls.push('repaired'),
    requeue: () => calls.push('requeue'),
  });
  const settle = async (): Promise<readonly string[]> => {
    await guard.settled();
    return calls.splice(0);
  };
  const check = (): Promise<readonly string[]> => {
    guard.suspect();
    return settle();
  };
  return { guard, kernel, network, calls, check, settle };
};

test('a whole ruleset is only listed', async () => {
  const { guard, check } = openFakes();
  expect(await check()).toEqual(['list', 'requeue']);
  expect(guard.isStanding()).toBe(true);
  expect(guard.problemText()).toBe(undefined);
});

test('a ruleset that is not whole is loaded again, then the flows are cut', async () => {
  const { guard, kernel, check } = openFakes();
  kernel.isWhole = false;
  expect(await check()).toEqual(['list', 'load', 'cut', 'repaired', 'requeue']);
  expect(guard.isStanding()).toBe(true);
});

test('a ruleset that cannot be listed is loaded again', async () => {
  const { kernel, check } = openFakes();
  kernel.failing = new Set(['list']);
  expect(await check()).toEqual(['list', 'load', 'cut', 'repaired', 'requeue']);
});

test('all vifs stay closed until a load succeeds; each retry closes them again', async () => {
  const { guard, kernel, check, settle } = openFakes();
  kernel.isWhole = false;
  kernel.failing = new Set(['load']);
  expect(await check()).toEqual(['list', 'load', 'close', 'requeue']);
  expect(guard.isStanding()).toBe(false);
  expect(guard.problemText()).toBe('load failed: closing all vifs');
  vi.advanceTimersByTime(1_000);
  expect(await settle()).toEqual(['list', 'load', 'close', 'requeue']);
  kernel.failing = new Set();
  vi.advanceTimersByTime(1_000);
  expect(await settle()).toEqual(['list', 'load', 'cut', 'repaired', 'requeue']);
  expect(guard.isStanding()).toBe(true);
});

test('all vifs stay closed until suspect flows are cut', async () => {
  const { guard, kernel, check, settle } = openFakes();
  kernel.isWhole = false;
  kernel.failing = new Set(['cut']);
  expect(await check()).toEqual(['list', 'load', 'cut', 'close', 'requeue']);
  expect(guard.isStanding()).toBe(false);
  kernel.failing = new Set();
  vi.advanceTimersByTime(1_000);
  expect(await settle()).toEqual(['list', 'cut', 'repaired', 'requeue']);
  expect(guard.isStanding()).toBe(true);
});

test('vifs that could not be closed count as closed, and a second later it tries again', async () => {
  const { guard, kernel, check, settle } = openFakes();
  kernel.isWhole = false;
  kernel.failing = new Set(['load', 'close']);
  expect(await check()).toEqual(['list', 'load', 'close', 'requeue']);
  expect(guard.isStanding()).toBe(false);
  expect(guard.problemText()).toBe('close failed: closing all vifs');
  vi.advanceTimersByTime(1_000);
  expect(await settle()).toEqual(['list', 'load', 'close', 'requeue']);
});

test('once a program undoes each repair, the vifs stay closed until the next one is due', async () => {
  const { guard, kernel, check, settle } = openFakes();
  for (let round = 0; round < 6; round++) {
    kernel.isWhole = false;
    await check();
  }
  kernel.isWhole = false;
  expect(await check()).toEqual(['list', 'close', 'requeue']);
  expect(guard.isStanding()).toBe(false);
  vi.advanceTimersByTime(1_000);
  expect(await settle()).toEqual(['list', 'load', 'cut', 'repaired', 'requeue']);
  expect(guard.problemText()).toContain('another program likely undoes each repair');
});

test('panic mode that a flush removed is restored before vifs may open again', async () => {
  const { guard, kernel, check } = openFakes();
  kernel.isPanic = true;
  await check();
  kernel.isWhole = false;
  kernel.isPanic = false;
  expect(await check()).toEqual(['list', 'load', 'panic', 'cut', 'repaired', 'requeue']);
  expect(guard.isPanic()).toBe(true);
});

test('panic mode is restored also while a repair must wait', async () => {
  const { kernel, check } = openFakes();
  for (let round = 0; round < 6; round++) {
    kernel.isWhole = false;
    await check();
  }
  kernel.isPanic = true;
  await check();
  kernel.isPanic = false;
  kernel.isWhole = false;
  expect(await check()).toEqual(['list', 'panic', 'close', 'requeue']);
});

test('a suspicion during a check leads to one more check', async () => {
  const { guard, calls, network } = openFakes();
  const listing = deferred<boolean>();
  let lists = 0;
  Object.assign(network.staticRuleset, {
    isWhole: () => {
      lists += 1;
      return listing.promise;
    },
  });
  guard.suspect();
  guard.suspect();
  guard.suspect();
  listing.resolve(true);
  await vi.waitFor(() => expect(calls).toEqual(['requeue', 'requeue']));
  expect(lists).toBe(2);
});

test('a new link is closed while all vifs must stay closed, and only then', async () => {
  const { guard, kernel, check, settle } = openFakes();
  guard.linksChanged();
  expect(await settle()).toEqual([]);
  kernel.isWhole = false;
  kernel.failing = new Set(['load']);
  await check();
  guard.linksChanged();
  expect(await settle()).toEqual(['list', 'load', 'close', 'requeue']);
});
