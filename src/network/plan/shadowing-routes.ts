/**
 * Finds other programs' routes that take packets for a vif's addresses elsewhere. vifwatch never deletes
 * them.
 */

import { contains, type Prefix, parsePrefix } from '../../address/prefix.ts';
import type { Problem } from '../../errors.ts';
import {
  isVifName,
  keyOfRoute,
  type Route,
  routeProtocol,
  type ShadowingRoute,
} from '../state/kernel-state.ts';
import { addHolder, holderOf, noHolders } from '../vif/address-holders.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import { routeTo } from './dataplane-of-vif.ts';

/** A route as `ip -j route show table all` prints it. */
export type ListedRoute = {
  readonly dst: string;
  readonly dev?: string;
  readonly gateway?: string;
  readonly protocol?: string;
  /** Absent for the table `main`. */
  readonly table?: string;
  readonly metric?: number;
  readonly tos?: string;
  readonly type?: string;
};

type Own = {
  readonly route: Route;
  readonly prefix: Prefix;
  readonly at: number;
  readonly metric: number;
};
type Other = { readonly listed: ListedRoute; readonly prefix: Prefix; readonly at: number };

export const isOwnRoute = ({ protocol }: ListedRoute): boolean => protocol === `${routeProtocol}`;

/** Link-local, multicast and similar routes that the kernel makes for each link. */
const isNoise = ({ protocol, dev, type = 'unicast' }: ListedRoute): boolean =>
  ['broadcast', 'multicast', 'anycast'].includes(type) ||
  (protocol === 'kernel' && isVifName(dev ?? ''));

const prefixOf = ({ dst }: ListedRoute): Prefix | undefined => {
  const prefix = parsePrefix(dst);
  return 'problem' in prefix ? undefined : prefix;
};

/**
 * The kernel consults other tables only because of additional `ip rule` entries, which vifwatch does not
 * check.
 */
const isConsulted = ({ table = 'main' }: ListedRoute): boolean =>
  table === 'main' || table === 'local';

const isBefore = ({ listed, prefix, at }: Other, own: Own): boolean => {
  if (listed.table === 'local' || prefix.length > own.prefix.length || listed.tos !== undefined)
    return true;
  const metric = listed.metric ?? 0;
  return metric < own.metric || (metric === own.metric && at < own.at);
};

const textOf = ({ dst, dev, table, protocol = 'boot', type }: ListedRoute): string =>
  [
    ...(type === undefined ? [] : [type]),
    dst,
    ...(dev === undefined ? [] : [`dev ${dev}`]),
    ...(table === undefined ? [] : [`table ${table}`]),
    `proto ${protocol}`,
  ].join(' ');

/**
 * The routes that the kernel prefers to vifwatch's, by the key of vifwatch's route. Such a route has the same
 * prefix and comes first, or has a more specific prefix. Both IPv4 and IPv6 consult the table `local` first.
 * If routes are equal, IPv4 takes the first in the listing.
 * @param listed all routes of all tables, in the kernel's order
 */
export const shadowingRoutesOf = (
  listed: readonly ListedRoute[],
  routeOf: (listed: ListedRoute) => Route,
): ReadonlyMap<string, ShadowingRoute> => {
  const owns = noHolders<Own>();
  for (const [at, route] of listed.entries()) {
    const prefix = prefixOf(route);
    if (!isOwnRoute(route) || prefix === undefined) continue;
    addHolder(owns, prefix, { route: routeOf(route), prefix, at, metric: route.metric ?? 0 });
  }
  const shadowingRoutes = new Map<string, ShadowingRoute>();
  for (const [at, route] of listed.entries()) {
    if (isOwnRoute(route) || isNoise(route) || !isConsulted(route)) continue;
    const prefix = prefixOf(route);
    if (prefix === undefined) continue;
    const own = holderOf(owns, prefix);
    if (own === undefined || !contains(own.prefix, prefix)) continue;
    if (!isBefore({ listed: route, prefix, at }, own)) continue;
    // Keep the beatable route: once vifwatch is in front of it, the next observation finds the other.
    if (shadowingRoutes.get(keyOfRoute(own.route))?.isBeatable) continue;
    const isEqual =
      route.table === undefined && route.tos === undefined && prefix.text === own.prefix.text;
    shadowingRoutes.set(keyOfRoute(own.route), {
      text: textOf(route),
      isBeatable: isEqual && prefix.family === 4 && (route.metric ?? 0) === own.metric,
    });
  }
  return shadowingRoutes;
};

/**
 * The problem of a vif with a shadowing route that vifwatch cannot beat: only the program or operator that
 * made it can remove it.
 */
export const shadowProblem = (
  { link, prefixes }: ServedVif,
  shadowingRoutes: ReadonlyMap<string, ShadowingRoute>,
): Problem | undefined => {
  if (shadowingRoutes.size === 0) return undefined;
  const routes = prefixes.map((prefix) => routeTo(link, prefix));
  const shadowing = routes
    .map((route) => shadowingRoutes.get(keyOfRoute(route)))
    .find((found) => found && !found.isBeatable);
  const text = `the route "${shadowing?.text}" takes precedence over the route to ${link}; remove it`;
  return shadowing && { code: 'ROUTE_SHADOWED', text };
};
