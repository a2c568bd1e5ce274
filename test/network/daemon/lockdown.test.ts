/** The state in which all vifs must stay closed, on a clock of its own. */
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openLockdown } from '../../../src/network/daemon/lockdown.ts';
import { linkNameOf } from '../../support/link-name.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const openFakes = () => {
  const batches: (readonly string[])[] = [];
  const logged: string[] = [];
  const check = vi.fn();
  const log = pino({ base: null }, { write: (line) => logged.push(JSON.parse(line).msg) });
  const network = {
    linkNames: () => new Set(['lo', 'eth0', 'vif3.0', 'vif4.1'].map(linkNameOf)),
    ipBatches: {
      run: async (lines: readonly string[]) => {
        batches.push(lines);
        return { failed: [], gaveUp: undefined };
      },
      prepare: () => {},
      close: () => {},
    },
  };
  return { lockdown: openLockdown({ network, log, check }), batches, logged, check };
};

test('sets all vifs down, and no other link', async () => {
  const { lockdown, batches } = openFakes();
  expect(lockdown.reason()).toBe(undefined);
  await lockdown.close('nft failed', 1_000);
  expect(batches).toEqual([['link set dev vif3.0 down', 'link set dev vif4.1 down']]);
  expect(lockdown.reason()).toBe('nft failed');
  lockdown.lift();
  expect(lockdown.reason()).toBe(undefined);
});

test('logs a reason once, and sets the vifs down each time', async () => {
  const { lockdown, batches, logged } = openFakes();
  await lockdown.close('nft failed', 1_000);
  await lockdown.close('nft failed', 1_000);
  await lockdown.close('ip failed', 1_000);
  expect(batches).toHaveLength(3);
  expect(logged).toEqual(['nft failed: closing all vifs', 'ip failed: closing all vifs']);
});

test('checks the ruleset again after the last given time only', async () => {
  const { lockdown, check } = openFakes();
  await lockdown.close('nft failed', 1_000);
  vi.advanceTimersByTime(999);
  await lockdown.close('nft failed', 2_000);
  vi.advanceTimersByTime(1_999);
  expect(check).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(check).toHaveBeenCalledOnce();
});

test('a failure to close the vifs is logged, and keeps them closed until a check', () => {
  const { lockdown, logged, check } = openFakes();
  lockdown.fail(new Error('ip failed'), 1_000);
  expect(lockdown.reason()).toBe('ip failed');
  expect(logged).toEqual(['cannot close all vifs: ip failed; retrying']);
  vi.advanceTimersByTime(1_000);
  expect(check).toHaveBeenCalledOnce();
});
