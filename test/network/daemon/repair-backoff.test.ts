import { describe, expect, test } from 'vitest';
import { openRepairBackoff } from '../../../src/network/daemon/repair-backoff.ts';

describe('the repair backoff', () => {
  const minute = 60_000;
  const openClock = () => {
    let at = 0;
    const repairBackoff = openRepairBackoff(() => at);
    return {
      repairBackoff,
      pass: (ms: number) => {
        at += ms;
      },
      repair: () => repairBackoff.record('3/0', 'link vif3.0 down'),
    };
  };

  test('five repairs a minute are immediate; then the waits double, up to a minute', () => {
    const { repairBackoff, pass, repair } = openClock();
    for (let round = 0; round < 5; round++) {
      repair();
      pass(1_000);
      expect(repairBackoff.waitMs('3/0')).toBe(0);
      expect(repairBackoff.problemOf('3/0')).toBe(undefined);
    }
    const rests = Array.from({ length: 9 }, () => {
      repair();
      const rest = repairBackoff.waitMs('3/0');
      pass(rest);
      expect(repairBackoff.waitMs('3/0')).toBe(0);
      return rest / 1_000;
    });
    expect(rests).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(repairBackoff.problemOf('3/0')?.code).toBe('DRIFT_FOUGHT');
    expect(repairBackoff.problemOf('3/1')).toBe(undefined);
    expect(repairBackoff.waitMs('3/1')).toBe(0);
  });

  test('a minute without a repair resets the backoff', () => {
    const { repairBackoff, pass, repair } = openClock();
    for (let round = 0; round < 6; round++) repair();
    expect(repairBackoff.problemOf('3/0')?.code).toBe('DRIFT_FOUGHT');
    pass(1_000 + minute + 1);
    expect(repairBackoff.problemOf('3/0')).toBe(undefined);
    repair();
    expect(repairBackoff.waitMs('3/0')).toBe(0);
  });

  test('rare repairs are never delayed', () => {
    const { repairBackoff, pass, repair } = openClock();
    for (let round = 0; round < 100; round++) {
      repair();
      expect(repairBackoff.waitMs('3/0')).toBe(0);
      pass(minute / 4);
    }
  });
});
