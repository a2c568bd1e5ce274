/** The daemon's status, from parts that are set by hand, on a clock of its own. */
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openDaemonStatus } from '../../../src/network/daemon/daemon-status.ts';
import { openVifHistory } from '../../../src/network/daemon/vif-history.ts';
import type { Counts } from '../../../src/network/status/drops.ts';
import { CommandError } from '../../../src/system/command.ts';
import { emptyKernel, prefix } from '../store-fixture.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-30T12:00:00Z') });
});

afterEach(() => {
  vi.useRealTimers();
});

const openFakes = (
  counts: () => Promise<Counts> = () => Promise.reject(new Error('nft failed')),
) => {
  const troubles = {
    guard: undefined as string | undefined,
    command: undefined as CommandError | undefined,
    repair: undefined as string | undefined,
  };
  const status = openDaemonStatus({
    config: { gateways: [prefix('10.0.5.1')] },
    network: { nft: { counts }, settingsProblem: () => undefined },
    observed: { names: () => new Map(), kernel: () => emptyKernel },
    guard: { problemText: () => troubles.guard, isPanic: () => true },
    workers: { lastCommandError: () => troubles.command },
    repair: { problemText: () => troubles.repair },
    kernelSizes: { notices: () => [] },
    passes: { decisions: () => [], problemOf: () => undefined },
    vifHistory: openVifHistory(pino({ enabled: false }), () => 0),
  });
  return { status, troubles };
};

test('tells since when the daemon runs, and whether panic mode is on', async () => {
  const { status } = openFakes();
  vi.setSystemTime(new Date('2026-11-30T13:00:00Z'));
  const { daemon, panic } = await status();
  expect(daemon).toMatchObject({ pid: process.pid, since: '2026-11-30T12:00:00.000Z' });
  expect(panic).toBe(true);
});

test('shows the most important trouble only: the ruleset, a program, the gateways', async () => {
  const { status, troubles } = openFakes();
  const trouble = async () => (await status()).daemon?.trouble;
  expect(await trouble()).toBe(null);
  troubles.repair = 'gateways';
  expect(await trouble()).toBe('gateways');
  troubles.command = new CommandError(['ip'], 'exit status 1', '');
  expect(await trouble()).toBe('ip: exit status 1');
  troubles.guard = 'closing all vifs';
  expect(await trouble()).toBe('closing all vifs');
});

test('the counters of dropped packets are missing if nft fails', async () => {
  expect((await openFakes().status()).drops).toBe(null);
});
