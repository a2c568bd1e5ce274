import { expect, test } from 'vitest';
import { parseDrops } from '../../../src/network/status/drops.ts';

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
