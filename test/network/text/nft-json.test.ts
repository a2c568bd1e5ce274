import { expect, test } from 'vitest';
import type { Element } from '../../../src/network/state/element.ts';
import { additions, deletions, parseFirewall } from '../../../src/network/text/nft-json.ts';
import { linkNameOf } from '../../support/link-name.ts';

const elements: readonly Element[] = [
  { set: 'mac', link: linkNameOf('vif3.0'), mac: '00:16:3e:00:03:00' },
  { set: 'address4', link: linkNameOf('vif3.0'), prefix: '10.0.5.3' },
  { set: 'network4', link: linkNameOf('vif3.0'), prefix: '10.9.0.0/24' },
  { set: 'sender', link: linkNameOf('vif3.0'), mac: '00:16:3e:00:03:00', prefix: '10.0.5.3' },
  { set: 'uplink', link: linkNameOf('eth0') },
  { set: 'out', link: linkNameOf('vif3.0'), chain: 'out-web-0123456789ab' },
];

const inet = { family: 'inet', table: 'vifwatch' };

test('additions have one command for each set, and networks as prefixes', () => {
  expect(
    JSON.parse(additions({ elements: elements.slice(1, 4), chains: [], replaced: [] })),
  ).toEqual({
    nftables: [
      {
        add: {
          element: {
            ...inet,
            name: 'address4',
            elem: [{ concat: ['vif3.0', '10.0.5.3'] }],
          },
        },
      },
      {
        add: {
          element: {
            ...inet,
            name: 'network4',
            elem: [{ concat: ['vif3.0', { prefix: { addr: '10.9.0.0', len: 24 } }] }],
          },
        },
      },
      {
        add: {
          element: {
            family: 'arp',
            table: 'vifwatch',
            name: 'sender',
            elem: [{ concat: ['vif3.0', '00:16:3e:00:03:00', '10.0.5.3'] }],
          },
        },
      },
    ],
  });
});

test('a policy replaces another: its chain is added, the old element goes, the new one comes', () => {
  const chain = {
    name: 'out-web-0123456789ab',
    rules: [{ expr: [{ drop: null }], comment: 'no' }],
  };
  const earlier: Element = {
    set: 'out',
    link: linkNameOf('vif3.0'),
    chain: 'out-web-ba9876543210',
  };
  const name = { chain: { ...inet, name: chain.name } };
  const element = (target: string) => ({
    element: { ...inet, name: 'out', elem: [['vif3.0', { jump: { target } }]] },
  });
  const what = { elements: elements.slice(5), chains: [chain, chain], replaced: [earlier] };
  expect(JSON.parse(additions(what)).nftables).toEqual([
    { add: name },
    { flush: name },
    { add: { rule: { ...inet, chain: chain.name, expr: [{ drop: null }], comment: 'no' } } },
    { delete: element('out-web-ba9876543210') },
    { add: element('out-web-0123456789ab') },
  ]);
});

test('deletions add first, so that an element that is already gone causes no error', () => {
  const { nftables } = JSON.parse(deletions(elements.slice(4, 5), []));
  expect(nftables).toEqual([
    { add: { element: { ...inet, name: 'uplink', elem: ['eth0'] } } },
    { delete: { element: { ...inet, name: 'uplink', elem: ['eth0'] } } },
  ]);
});

test("another program's verdict is deleted by its key, and never added", () => {
  const foreign: Element = { set: 'out', link: linkNameOf('vif3.0'), chain: undefined };
  const removal = { delete: { element: { ...inet, name: 'out', elem: ['vif3.0'] } } };
  expect(JSON.parse(deletions([foreign], [])).nftables).toEqual([removal]);
  const what = { elements: elements.slice(5), chains: [], replaced: [foreign] };
  expect(JSON.parse(additions(what)).nftables[0]).toEqual(removal);
});

test("a listing gives back what was added, without static rules and the site's own sets", () => {
  const set = (family: string, name: string, elem?: readonly unknown[]) => ({
    set: { family, name, table: 'vifwatch', handle: 4, ...(elem && { elem }) },
  });
  const listings = [
    {
      nftables: [
        { metainfo: { version: '1.0.6', json_schema_version: 1 } },
        { table: { family: 'inet', name: 'vifwatch', handle: 1 } },
        set('inet', 'mac', [{ concat: ['vif3.0', '00:16:3e:00:03:00'] }]),
        set('inet', 'address4', [{ concat: ['vif3.0', '10.0.5.3'] }]),
        set('inet', 'address6'),
        set('inet', 'network4', [
          { concat: ['vif3.0', { prefix: { addr: '10.9.0.0', len: 24 } }] },
        ]),
        set('inet', 'uplink', ['eth0']),
        set('inet', 'of-the-site', ['x']),
        {
          map: {
            ...inet,
            name: 'out',
            elem: [['vif3.0', { jump: { target: 'out-web-0123456789ab' } }]],
          },
        },
        { chain: { ...inet, name: 'guard', handle: 2 } },
        { chain: { ...inet, name: 'out-web-0123456789ab', handle: 7 } },
        { rule: { ...inet, chain: 'guard', expr: [] } },
        { rule: { ...inet, chain: 'out-web-0123456789ab', expr: [] } },
      ],
    },
    { nftables: [set('arp', 'sender', [{ concat: ['vif3.0', '00:16:3e:00:03:00', '10.0.5.3'] }])] },
  ];
  const parsed = parseFirewall(listings.map((listing) => JSON.stringify(listing)));
  const bySet = (a: Element, b: Element) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  expect([...parsed.chains]).toEqual([['out-web-0123456789ab', 1]]);
  expect([...parsed.elements.values()].sort(bySet)).toEqual([...elements].sort(bySet));
});
