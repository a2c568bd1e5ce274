import pino from 'pino';
import { expect, test } from 'vitest';
import { openKernelSizeKeeper } from '../../../src/network/daemon/kernel-size-keeper.ts';
import type { Network } from '../../../src/network/kernel/network.ts';

const shares = { flows: 10, newFlows: 1, fragments: 1, neighbours: 1, icmpErrors: 1 };

const open = (unmet: () => ReturnType<Network['setKernelSizes']>) => {
  let calls = 0;
  const lines: string[] = [];
  const clock = { ms: 0 };
  const network = {
    setKernelSizes: () => {
      calls += 1;
      return unmet();
    },
  };
  const log = pino({ base: null }, { write: (line: string) => lines.push(line) });
  const keeper = openKernelSizeKeeper({ network, config: { shares }, log }, () => clock.ms);
  return { ...keeper, clock, lines, calls: () => calls };
};

test('the sizes are looked at for each further vif, and otherwise every 10 s', () => {
  const { keep, clock, calls } = open(() => []);
  keep(1);
  keep(1);
  keep(0);
  expect(calls()).toBe(1);
  keep(2);
  expect(calls()).toBe(2);
  clock.ms = 9_999;
  keep(1);
  expect(calls()).toBe(2);
  clock.ms = 10_000;
  keep(1);
  expect(calls()).toBe(3);
});

test('a size that the kernel refuses is logged once, and noticed until it is large enough', () => {
  let unmet = [{ setting: 'netfilter/nf_conntrack_max', value: 5, wanted: 9 }];
  const { keep, notices, lines } = open(() => unmet);
  keep(1);
  keep(2);
  expect(lines).toHaveLength(1);
  expect(notices()).toEqual([
    "netfilter/nf_conntrack_max is 5, but the shares of 2 vifs need 9: net-vm's kernel refuses the change",
  ]);
  unmet = [];
  keep(3);
  expect(notices()).toEqual([]);
});
