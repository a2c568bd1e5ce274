import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  contains,
  normalise,
  overlaps,
  type Prefix,
  parsePrefix,
  reservedRange,
} from '../../src/address/prefix.ts';

const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
};

describe('parsePrefix', () => {
  test.each([
    ['10.0.5.103', '10.0.5.103'],
    ['10.0.5.103/32', '10.0.5.103'],
    ['10.9.0.0/24', '10.9.0.0/24'],
    ['FD00:5:0:0::7', 'fd00:5::7'],
    ['fd00:9::/64', 'fd00:9::/64'],
    ['2001:db8::1/128', '2001:db8::1'],
  ])('%s is %s', (text, canonical) => {
    expect(prefix(text).text).toBe(canonical);
  });

  test.each([
    ...['', 'x', '10.1', '10.0.5', '010.0.5.1', '0x0a000501', '10.0.5.256', '10.0.5.1/33'],
    ...['10.0.5.1/', '10.0.5.1/1/1', '10.0.5.1/-1', '10.0.5.1/ 8', '167772417', 'fe80::1%eth0'],
    ...['fd00::/129', 'fd00:::1', '10.0.5.1;reboot', '10.0.5.1\n10.0.5.2', 'a'.repeat(5000)],
  ])('%j is refused', (text) => {
    expect(parsePrefix(text)).toHaveProperty('problem');
  });

  test('a prefix with host bits is refused, and the message names both corrections', () => {
    expect(parsePrefix('10.0.5.103/24')).toEqual({
      problem: '"10.0.5.103/24" has host bits set: write 10.0.5.103 or 10.0.5.0/24',
    });
  });

  test('any input gives a prefix or a short printable problem', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const parsed = parsePrefix(text);
        if ('problem' in parsed) expect(parsed.problem).toMatch(/^[\x20-\x7e…]{1,200}$/);
        else expect(prefix(parsed.text)).toEqual(parsed);
      }),
      { numRuns: 2000 },
    );
  });
});

const someV4 = fc
  .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 32 }))
  .map(([bits, length]) => {
    const network = length === 0 ? 0 : (bits & (0xffffffff << (32 - length))) >>> 0;
    const text = [24, 16, 8, 0].map((shift) => (network >>> shift) & 255).join('.');
    return { prefix: prefix(`${text}/${length}`), first: network, size: 2 ** (32 - length) };
  });

test('contains and overlaps agree with arithmetic on the ranges', () => {
  fc.assert(
    fc.property(someV4, someV4, (a, b) => {
      const inside = b.first >= a.first && b.first + b.size <= a.first + a.size;
      const touching = b.first < a.first + a.size && a.first < b.first + b.size;
      expect(contains(a.prefix, b.prefix)).toBe(inside);
      expect(overlaps(a.prefix, b.prefix)).toBe(touching);
    }),
  );
});

test('families never overlap', () => {
  expect(overlaps(prefix('0.0.0.0/0'), prefix('::/0'))).toBe(false);
});

test('normalise removes duplicates and prefixes inside wider ones, and sorts the rest', () => {
  const texts = ['10.9.0.7', 'fd00::1', '10.9.0.0/24', '10.0.0.1', '10.0.0.1', '10.9.0.0/25'];
  const expected = ['10.9.0.0/24', '10.0.0.1', 'fd00::1'];
  expect(normalise(texts.map(prefix)).map(({ text }) => text)).toEqual(expected);
  expect(normalise([...texts].reverse().map(prefix)).map(({ text }) => text)).toEqual(expected);
});

test.each([
  ...['0.0.0.0/0', '0.1.2.3', '127.0.0.1', '169.254.1.1', '224.0.0.1', '255.255.255.255'],
  ...['::', '::1', 'fe80::1', 'ff02::1', '::ffff:10.0.0.1', '::/0'],
])('%s is never a guest address', (text) => {
  expect(reservedRange(prefix(text))).toBeDefined();
});

test.each(['10.0.5.103', '192.168.0.0/16', '8.8.8.8', 'fd00::1', '2001:db8::/32'])(
  '%s may be a guest address',
  (text) => {
    expect(reservedRange(prefix(text))).toBeUndefined();
  },
);
