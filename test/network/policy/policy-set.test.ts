import { expect, test } from 'vitest';
import type { NetworkPolicy } from '../../../src/network/policy/policy.ts';
import {
  keepVanished,
  type PolicySet,
  policyOf,
  policySetOf,
  vanishedMs,
} from '../../../src/network/policy/policy-set.ts';
import { domidOf } from '../../support/domid.ts';
import { prefix } from '../store-fixture.ts';

const policy = (key: string): NetworkPolicy => ({ key, rules: [] });

const setOf = (...keys: string[]): PolicySet => ({
  ...policySetOf(new Map(keys.map((key) => [key, policy(key)])), policy('internet'), undefined),
  unsettled: [],
});

const chosen = (set: PolicySet, name: string | undefined, address = '10.0.5.3') =>
  policyOf(set, domidOf(3), name, [prefix(address)]);

test('the policy of a vanished file stays for a time, however often the files are read, and then ends', () => {
  let set = setOf('web');
  for (const nowMs of [0, 100, vanishedMs - 1]) {
    set = keepVanished(setOf(), set, nowMs);
    expect(chosen(set, 'web')).toMatchObject({ key: 'web' });
    expect([...set.vanished]).toEqual([['web', vanishedMs]]);
  }
  set = keepVanished(setOf(), set, vanishedMs);
  expect(chosen(set, 'web')).toMatchObject({ key: 'internet' });
  expect(set.vanished.size).toBe(0);
});

test('a file that comes back counts at once, and may vanish again', () => {
  const gone = keepVanished(setOf(), setOf('web'), 0);
  const back = keepVanished(setOf('web'), gone, 100);
  expect(back.vanished.size).toBe(0);
  expect([...keepVanished(setOf(), back, 200).vanished]).toEqual([['web', 200 + vanishedMs]]);
});

test('while a file by name is vanished, a VM without a name stays closed', () => {
  const set = keepVanished(setOf(), setOf('web'), 0);
  expect(chosen(set, undefined)).toMatchObject({ code: 'POLICY_UNNAMED' });
  expect(chosen(keepVanished(setOf(), set, vanishedMs), undefined)).toMatchObject({
    key: 'internet',
  });
});

test('a file that is renamed from a name to an address does not conflict with itself', () => {
  const set = keepVanished(setOf('10.0.5.3'), setOf('web'), 0);
  expect(chosen(set, 'web')).toMatchObject({ key: '10.0.5.3' });
  expect(chosen(setOf('web', '10.0.5.3'), 'web')).toMatchObject({ code: 'POLICY_INVALID' });
});
