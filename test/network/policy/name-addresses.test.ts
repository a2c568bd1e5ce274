import { expect, test } from 'vitest';
import { type Answer, learn, nextLookupS } from '../../../src/network/policy/name-addresses.ts';

const found = (...records: readonly (readonly [string, number])[]): Answer => ({
  kind: 'addresses',
  records: records.map(([address, ttlS]) => ({ address, ttlS })),
});

const names = (known: ReadonlyMap<string, number>): readonly string[] => [...known.keys()].sort();

test('each address stays for its own TTL, whatever later answers contain', () => {
  const first = learn(new Map(), found(['a', 600], ['b', 10]), 0);
  const second = learn(first, found(['c', 10]), 9_000);
  expect(names(second)).toEqual(['a', 'b', 'c']);
  expect(names(learn(second, found(['c', 10]), 10_000))).toEqual(['a', 'c']);
  expect(names(learn(second, { kind: 'none' }, 600_000))).toEqual([]);
});

test('a failure changes nothing, and a shorter TTL does not end an address earlier', () => {
  const known = learn(new Map(), found(['a', 600]), 0);
  expect(learn(known, { kind: 'failed' }, 1e9)).toBe(known);
  expect(learn(known, found(['a', 5]), 1_000)).toEqual(known);
});

test('the addresses that last longest are kept if there are too many', () => {
  const many = Array.from({ length: 100 }, (_, n) => [`${n}`, 100 + n] as const);
  const known = learn(new Map(), found(...many), 0);
  expect(known.size).toBe(64);
  expect(known.has('99')).toBe(true);
  expect(known.has('0')).toBe(false);
});

test('the next lookup follows the shortest TTL, and comes soon after any other answer', () => {
  expect(nextLookupS(found(['a', 60], ['b', 30]))).toBe(30);
  expect(nextLookupS({ kind: 'none' })).toBe(5);
  expect(nextLookupS({ kind: 'failed' })).toBe(5);
});
