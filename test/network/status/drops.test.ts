import { expect, test } from 'vitest';
import { parseDrops, parseRefused } from '../../../src/network/status/drops.ts';

const counter = (family: string, table: string, name: string, packets: number) => ({
  counter: { family, name, table, handle: 3, packets, bytes: 60 * packets },
});

test('drops are summed by name over our tables only, without counters at zero', () => {
  const nftables = [
    { metainfo: { version: '1.0.6', json_schema_version: 1 } },
    counter('inet', 'vifwatch', 'multicast_source', 3),
    counter('inet', 'vifwatch', 'foreign_mac', 0),
    counter('inet', 'site', 'accounting', 7),
    counter('netdev', 'vifwatch', 'multicast_source', 2),
    counter('arp', 'vifwatch', 'arp_foreign_ip', 1),
  ];
  const drops = parseDrops(JSON.stringify({ nftables }));
  expect(Object.entries(drops)).toEqual([
    ['arp_foreign_ip', 1],
    ['multicast_source', 5],
  ]);
});

test('refused packets are summed by link over the families', () => {
  const listing = (...elem: readonly object[]): string =>
    JSON.stringify({ nftables: [{ metainfo: {} }, { set: { name: 'refused', elem } }] });
  const refused = (val: string, packets: number) => ({ elem: { val, counter: { packets } } });
  const empty = JSON.stringify({ nftables: [{ set: { name: 'refused' } }] });
  expect([...parseRefused([listing(refused('vif1.0', 2), refused('vif2.0', 1)), empty])]).toEqual([
    ['vif1.0', 2],
    ['vif2.0', 1],
  ]);
  expect(parseRefused([listing(refused('vif1.0', 2)), listing(refused('vif1.0', 3))])).toEqual(
    new Map([['vif1.0', 5]]),
  );
});
