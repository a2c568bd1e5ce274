import { expect, test } from 'vitest';
import { ruleContent } from '../../../src/network/text/rule-content.ts';

test('the order of keys and of the items in a set does not matter, nor do counts', () => {
  const written = [
    {
      match: {
        op: '==',
        left: { meta: { key: 'oifname' } },
        right: { set: ['vif3.0', 'vif10.0'] },
      },
    },
    { counter: null },
    { drop: null },
  ];
  const listed = [
    {
      match: {
        right: { set: ['vif10.0', 'vif3.0'] },
        left: { meta: { key: 'oifname' } },
        op: '==',
      },
    },
    { counter: { packets: 3, bytes: 252 } },
    { drop: null },
  ];
  expect(ruleContent(listed)).toBe(ruleContent(written));
});

test('the order of statements and every other value matters', () => {
  const rule = [{ counter: null }, { goto: { target: 'may_leave' } }];
  const contents = [
    rule,
    [...rule].reverse(),
    [{ counter: null }, { goto: { target: 'to_own_address' } }],
    [{ counter: null }, { goto: { target: 'may_leave', comment: '' } }],
    [{ counter: null }],
  ].map(ruleContent);
  expect(new Set(contents).size).toBe(contents.length);
});

test('an item that nft lists with or without brackets is the same', () => {
  const flags = (value: unknown) => ruleContent({ fib: { result: 'type', flags: value } });
  expect(flags(['saddr'])).toBe(flags('saddr'));
  expect(flags(['saddr', 'iif'])).not.toBe(flags('saddr'));
});

test('a counter by name matters', () => {
  expect(ruleContent([{ counter: 'foreign_mac' }])).not.toBe(ruleContent([{ counter: 'lie' }]));
});
