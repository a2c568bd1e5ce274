import { expect, test } from 'vitest';
import { generationBy, isForeign, neighbourOf } from '../../../src/network/text/monitor-lines.ts';

test('a line of ip monitor neigh gives the address, the link, and whether the entry is permanent', () => {
  const permanent = '10.0.5.3 dev vif3.0 lladdr 00:16:3e:00:03:00 PERMANENT ';
  const vif = { address: '10.0.5.3', link: 'vif3.0' };
  expect(neighbourOf(permanent)).toEqual({ ...vif, isPermanent: true });
  expect(neighbourOf('10.0.5.3 dev vif3.0 FAILED ')).toEqual({ ...vif, isPermanent: false });
  expect(neighbourOf(`Deleted ${permanent}`)).toEqual({ ...vif, isPermanent: true });
  expect(neighbourOf('192.0.2.1 dev eth0 lladdr 00:16:3e:00:00:01 STALE ')).toBe(undefined);
  expect(neighbourOf('')).toBe(undefined);
});

test('a generation line of nft monitor gives the process; a comment with that text does not', () => {
  expect(generationBy('# new generation 7 by process 4711 (nft)')).toBe(4711);
  expect(generationBy('add table inet x comment "# new generation 7 by process 1 (nft)"')).toBe(
    undefined,
  );
});

test.each([
  ['add rule ip other c ct state new accept', true],
  ['insert rule ip6 filter input drop', true],
  ['delete element inet site banned { 10.0.0.0/8 }', true],
  ['add ct helper ip other h { type "ftp" protocol tcp; l3proto ip; } ', true],
  ['add chain ip d vifwatch { type filter hook input priority filter; policy drop; }', true],
  ['delete rule inet vifwatch forward handle 8', false],
  ['add element arp vifwatch sender { "vif3.0" . 00:16:3e:00:00:01 . 10.0.5.3 }', false],
  ['delete table inet vifwatch_panic', false],
  ['# new generation 7 by process 1 (nft)', false],
  ['whatever nft says one day', false],
])('a line of nft monitor shows whether its table is foreign: %s', (line, is) => {
  expect(isForeign(line)).toBe(is);
});
