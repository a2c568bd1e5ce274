import { describe, expect, test } from 'vitest';
import { reportedLinkName } from '../../../src/address/link-name.ts';
import { routeTo } from '../../../src/network/plan/dataplane-of-vif.ts';
import {
  type ListedRoute,
  shadowingRoutesOf,
  shadowProblem,
} from '../../../src/network/plan/shadowing-routes.ts';
import { keyOfRoute, type Route } from '../../../src/network/state/kernel-state.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { prefix } from '../store-fixture.ts';

describe("other programs' routes", () => {
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
    link: reportedLinkName(dev),
    via: gateway,
  });
  const other = (dst: string, more: Partial<ListedRoute> = {}): ListedRoute => ({
    dst,
    dev: 'eth0',
    ...more,
  });

  test.each([
    ['in front', [other('10.0.5.3'), ...own], host, true],
    ['with another type of service', [...own, other('10.0.5.3', { tos: '0x10' })], host, false],
    [
      'in the table local',
      [...own, other('10.0.5.3', { table: 'local', type: 'local' })],
      host,
      false,
    ],
    ['more specific', [...own, other('10.9.0.7', { metric: 9 })], net, false],
    ['with a better metric', [...own, other('fd00:5::3', { metric: 0 })], host6, false],
    ['to another vif', [other('10.0.5.3', { dev: 'vif4.0' }), ...own], host, true],
    ['to nothing', [{ type: 'blackhole', dst: '10.9.0.0/25' }, ...own], net, false],
  ])('%s: the route shadows ours', (_what, listed, ours, isBeatable) => {
    const shadowingRoutes = shadowingRoutesOf(listed, routeOf);
    expect([...shadowingRoutes.keys()]).toEqual([keyOfRoute(routeOf(ours))]);
    expect([...shadowingRoutes.values()]).toMatchObject([{ isBeatable }]);
    const prefixes = [prefix(ours.dst)];
    const served = { link: 'vif3.0', prefixes } as unknown as Parameters<typeof shadowProblem>[0];
    expect(shadowProblem(served, shadowingRoutes)?.code).toBe(
      isBeatable ? undefined : 'ROUTE_SHADOWED',
    );
    expect(keyOfRoute(routeTo(linkNameOf('vif3.0'), prefix(ours.dst)))).toBe(
      keyOfRoute(routeOf(ours)),
    );
  });

  test.each([
    ['behind ours', [...own, other('10.0.5.3')]],
    ['with a worse metric', [other('10.0.5.3', { metric: 1 }), ...own]],
    ['wider', [other('10.0.0.0/8'), other('default'), ...own]],
    ['elsewhere', [other('10.0.6.3'), ...own]],
    ['in a table that only rules lead to', [other('10.0.5.3', { table: '100' }), ...own]],
    [
      'made by the kernel for a vif',
      [other('10.9.0.0/25', { dev: 'vif3.0', protocol: 'kernel' }), ...own],
    ],
  ])('%s: the route does not shadow ours', (_what, listed) => {
    expect(shadowingRoutesOf(listed, routeOf).size).toBe(0);
  });
});
