import { expect, test } from 'vitest';
import { kernelSizes } from '../../../src/network/plan/kernel-sizes.ts';

const shares = { flows: 1_000, newFlows: 100, fragments: 100, neighbours: 10, icmpErrors: 50 };
const memory = 8 * 2 ** 30;

const growth = (name: string): number =>
  (kernelSizes(3, shares, memory).atLeast[name] ?? 0) -
  (kernelSizes(2, shares, memory).atLeast[name] ?? 0);

test('each vif adds room for its whole share, in both directions', () => {
  // 1000 open flows, 400 at once, and 100 a second for the 10 s that closed ones stay.
  expect(growth('netfilter/nf_conntrack_max')).toBe(2 * (1_000 + 400 + 1_000));
  expect(growth('ipv4/ipfrag_high_thresh')).toBe((100 + 2 * 100) * 5_120);
  expect(growth('ipv6/neigh/default/gc_thresh3')).toBe(30 + 5 * 10 + 50 + 35 * 10);
  expect(growth('ipv4/icmp_msgs_per_sec')).toBe(50);
});

test('without vifs, no size is smaller than the default of the kernel', () => {
  const { atLeast } = kernelSizes(0, shares, memory);
  expect(atLeast['ipv4/ipfrag_high_thresh']).toBe(4_194_304);
  expect(atLeast['ipv4/neigh/default/gc_thresh3']).toBe(1_024);
});

test('fragments and flows take at most an eighth of the memory each', () => {
  const { atLeast } = kernelSizes(1_000, shares, 512 * 2 ** 20);
  expect(atLeast['ipv4/ipfrag_high_thresh']).toBe(64 * 2 ** 20);
  expect(atLeast['netfilter/nf_conntrack_max']).toBe(Math.floor((64 * 2 ** 20) / 384));
});
