import { describe, expect, test } from 'vitest';
import { openRepairBackoff } from '../../../src/network/daemon/repair-backoff.ts';
import { routeTo } from '../../../src/network/plan/dataplane-of-vif.ts';
import {
  type ListedRoute,
  shadowingRoutesOf,
  shadowProblem,
} from '../../../src/network/plan/shadowing-routes.ts';
import { keyOfRoute, type Route } from '../../../src/network/state/kernel-state.ts';
import { generationBy, isForeign, neighbourOf } from '../../../src/network/text/monitor-lines.ts';
import { staticNamesIn, staticPart } from '../../../src/network/text/static-ruleset-listing.ts';
import { prefix } from '../store-fixture.ts';

describe('how often the same thing is repaired', () => {
  const minute = 60_000;
  const openClock = () => {
    let at = 0;
    const repairBackoff = openRepairBackoff(() => at);
    return {
      repairBackoff,
      pass: (ms: number) => {
        at += ms;
      },
      repair: () => repairBackoff.record('3/0', 'link vif3.0 down'),
    };
  };

  test('five times a minute at once; then with rests that double, up to a minute', () => {
    const { repairBackoff, pass, repair } = openClock();
    for (let round = 0; round < 5; round++) {
      repair();
      pass(1_000);
      expect(repairBackoff.waitMs('3/0')).toBe(0);
      expect(repairBackoff.problemOf('3/0')).toBe(undefined);
    }
    const rests = Array.from({ length: 9 }, () => {
      repair();
      const rest = repairBackoff.waitMs('3/0');
      pass(rest);
      expect(repairBackoff.waitMs('3/0')).toBe(0);
      return rest / 1_000;
    });
    expect(rests).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(repairBackoff.problemOf('3/0')?.code).toBe('DRIFT_FOUGHT');
    expect(repairBackoff.problemOf('3/1')).toBe(undefined);
    expect(repairBackoff.waitMs('3/1')).toBe(0);
  });

  test('a minute of peace, and it is as if nothing had been', () => {
    const { repairBackoff, pass, repair } = openClock();
    for (let round = 0; round < 6; round++) repair();
    expect(repairBackoff.problemOf('3/0')?.code).toBe('DRIFT_FOUGHT');
    pass(1_000 + minute + 1);
    expect(repairBackoff.problemOf('3/0')).toBe(undefined);
    repair();
    expect(repairBackoff.waitMs('3/0')).toBe(0);
  });

  test('seldom enough, it goes on for ever', () => {
    const { repairBackoff, pass, repair } = openClock();
    for (let round = 0; round < 100; round++) {
      repair();
      expect(repairBackoff.waitMs('3/0')).toBe(0);
      pass(minute / 4);
    }
  });
});

test('lines of ip monitor neigh', () => {
  const permanent = '10.0.5.3 dev vif3.0 lladdr 00:16:3e:00:03:00 PERMANENT ';
  const vif = { address: '10.0.5.3', link: 'vif3.0' };
  expect(neighbourOf(permanent)).toEqual({ ...vif, isPermanent: true });
  expect(neighbourOf('10.0.5.3 dev vif3.0 FAILED ')).toEqual({ ...vif, isPermanent: false });
  expect(neighbourOf(`Deleted ${permanent}`)).toEqual({ ...vif, isPermanent: true });
  expect(neighbourOf('192.0.2.1 dev eth0 lladdr 00:16:3e:00:00:01 STALE ')).toBe(undefined);
  expect(neighbourOf('')).toBe(undefined);
});

test('lines of nft monitor', () => {
  expect(generationBy('# new generation 7 by process 4711 (nft)')).toBe(4711);
  expect(generationBy('add table inet x comment "# new generation 7 by process 1 (nft)"')).toBe(
    undefined,
  );
});

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
  const part = (...items: object[]) => staticPart(listing(...items), names);
  const whole = part(chain, set({ handle: 2 }), rule('input', 3, 'a'), rule('input', 4, 'b'));

  test('is what the file declares', () => {
    expect([...names.parts]).toEqual(['inet mac', 'inet input', 'arp input']);
    expect(names.families).toEqual(['inet', 'arp']);
  });

  test.each([
    ['other handles', [chain, set({ handle: 9 }), rule('input', 8, 'a'), rule('input', 11, 'b')]],
    ['another order of things', [set({}), chain, rule('input', 3, 'a'), rule('input', 4, 'b')]],
    ['elements', [chain, set({ elem: ['x'] }), rule('input', 3, 'a'), rule('input', 4, 'b')]],
    [
      'what the file does not declare',
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
    ['a rule more', [chain, set({}), ...['a', 'x', 'b'].map((e) => rule('input', 3, e))]],
    ['another order of rules', [chain, set({}), rule('input', 3, 'b'), rule('input', 4, 'a')]],
    ['no chain', [set({}), rule('input', 3, 'a'), rule('input', 4, 'b')]],
    ['another set', [chain, set({ type: 'x' }), rule('input', 3, 'a'), rule('input', 4, 'b')]],
  ])('is not the same with %s', (_what, items) => {
    expect(part(...items)).not.toBe(whole);
  });
});

describe('routes of others', () => {
  const host: ListedRoute = { dst: '10.0.5.3', dev: 'vif3.0', protocol: '86' };
  const net: ListedRoute = {
    dst: '10.9.0.0/24',
    dev: 'vif3.0',
    protocol: '86',
    gateway: '169.254.0.1',
  };
  const host6: ListedRoute = { dst: 'fd00:5::3', dev: 'vif3.0', protocol: '86', metric: 1 };
  const own = [host, net, host6];
  const routeOf = ({ dst, dev = '', gateway }: ListedRoute): Route => ({
    prefix: dst,
    link: dev,
    via: gateway,
  });
  const other = (dst: string, more: Partial<ListedRoute> = {}): ListedRoute => ({
    dst,
    dev: 'eth0',
    ...more,
  });

  test.each([
    ['in front', [other('10.0.5.3'), ...own], host, true],
    ['of another kind of service', [...own, other('10.0.5.3', { tos: '0x10' })], host, false],
    [
      'in the table local',
      [...own, other('10.0.5.3', { table: 'local', type: 'local' })],
      host,
      false,
    ],
    ['more specific', [...own, other('10.9.0.7', { metric: 9 })], net, false],
    ['with a better metric', [...own, other('fd00:5::3', { metric: 0 })], host6, false],
    ['into another vif', [other('10.0.5.3', { dev: 'vif4.0' }), ...own], host, true],
    ['into nothing', [{ type: 'blackhole', dst: '10.9.0.0/25' }, ...own], net, false],
  ])('%s', (_what, listed, ours, isBeatable) => {
    const shadowingRoutes = shadowingRoutesOf(listed, routeOf);
    expect([...shadowingRoutes.keys()]).toEqual([keyOfRoute(routeOf(ours))]);
    expect([...shadowingRoutes.values()]).toMatchObject([{ isBeatable }]);
    const prefixes = [prefix(ours.dst)];
    const served = { link: 'vif3.0', prefixes } as unknown as Parameters<typeof shadowProblem>[0];
    expect(shadowProblem(served, shadowingRoutes)?.code).toBe(
      isBeatable ? undefined : 'ROUTE_SHADOWED',
    );
    expect(keyOfRoute(routeTo('vif3.0', prefix(ours.dst)))).toBe(keyOfRoute(routeOf(ours)));
  });

  test.each([
    ['behind', [...own, other('10.0.5.3')]],
    ['with a worse metric', [other('10.0.5.3', { metric: 1 }), ...own]],
    ['wider', [other('10.0.0.0/8'), other('default'), ...own]],
    ['elsewhere', [other('10.0.6.3'), ...own]],
    ['of a table that only rules lead to', [other('10.0.5.3', { table: '100' }), ...own]],
    [
      "of a vif's own making",
      [other('10.9.0.0/25', { dev: 'vif3.0', protocol: 'kernel' }), ...own],
    ],
  ])('%s: not in the way', (_what, listed) => {
    expect(shadowingRoutesOf(listed, routeOf).size).toBe(0);
  });
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
])('a line of nft monitor tells whose table it is about: %s', (line, is) => {
  expect(isForeign(line)).toBe(is);
});
