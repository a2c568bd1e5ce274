import { describe, expect, test } from 'vitest';
import { staticNamesIn, staticPart } from '../../../src/network/text/static-ruleset-listing.ts';

describe('the static part of the rules', () => {
  const names = staticNamesIn(`table inet vifwatch {
	set mac {
		type ifname . ether_addr
	}
	chain input { # not the rules
		iifname "vif*" goto guard
	}
}
table arp vifwatch {
	chain input {
	}
}
`);
  const listing = (...items: object[]): string[] => [JSON.stringify({ nftables: items })];
  const place = { family: 'inet', table: 'vifwatch' };
  const chain = { chain: { ...place, name: 'input', handle: 1 } };
  const rule = (chainName: string, handle: number, expr: string) => ({
    rule: { ...place, chain: chainName, handle, expr: [expr] },
  });
  const set = (more: object) => ({ set: { ...place, name: 'mac', ...more } });
  const part = (...items: object[]) => staticPart(listing(...items), names).text;
  const whole = part(chain, set({ handle: 2 }), rule('input', 3, 'a'), rule('input', 4, 'b'));

  test('is what the file declares', () => {
    expect([...names.parts]).toEqual(['inet mac', 'inet input', 'arp input']);
    expect(names.families).toEqual(['inet', 'arp']);
  });

  test.each([
    ['other handles', [chain, set({ handle: 9 }), rule('input', 8, 'a'), rule('input', 11, 'b')]],
    ['another order of items', [set({}), chain, rule('input', 3, 'a'), rule('input', 4, 'b')]],
    ['elements', [chain, set({ elem: ['x'] }), rule('input', 3, 'a'), rule('input', 4, 'b')]],
    [
      'items that the file does not declare',
      [
        ...[{ metainfo: { version: '1' } }, chain, set({}), { chain: { ...place, name: 'vm3' } }],
        ...[rule('vm3', 9, 'x'), rule('input', 3, 'a'), rule('input', 4, 'b')],
      ],
    ],
  ])('is the same with %s', (_what, items) => {
    expect(part(...items)).toBe(whole);
  });

  test.each([
    ['a rule missing', [chain, set({}), rule('input', 3, 'a')]],
    ['an additional rule', [chain, set({}), ...['a', 'x', 'b'].map((e) => rule('input', 3, e))]],
    ['another order of rules', [chain, set({}), rule('input', 3, 'b'), rule('input', 4, 'a')]],
    ['the chain missing', [set({}), rule('input', 3, 'a'), rule('input', 4, 'b')]],
    ['another set', [chain, set({ type: 'x' }), rule('input', 3, 'a'), rule('input', 4, 'b')]],
  ])('is not the same with %s', (_what, items) => {
    expect(part(...items)).not.toBe(whole);
  });
});
