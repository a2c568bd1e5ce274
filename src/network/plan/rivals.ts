/** Routes of others that take packets for a vif's addresses elsewhere. They are not ours to delete. */

import { contains, type Prefix, parsePrefix } from '../../address/prefix.ts';
import type { Problem } from '../../errors.ts';
import {
  isVifName,
  keyOfRoute,
  type Rival,
  type Route,
  routeProtocol,
} from '../state/kernel-state.ts';
import { hold, holderOf, noHolders } from '../vif/address-holders.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import { routeTo } from './footprint.ts';

/** A route as `ip -j route show table all` prints it. */
export type ListedRoute = {
  readonly dst: string;
  readonly dev?: string;
  readonly gateway?: string;
  readonly protocol?: string;
  /** Absent for the table main. */
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

/** Of each link's own making: link-local and multicast. */
const isNoise = ({ protocol, dev, type = 'unicast' }: ListedRoute): boolean =>
  ['broadcast', 'multicast', 'anycast'].includes(type) ||
  (protocol === 'kernel' && isVifName(dev ?? ''));

const prefixOf = ({ dst }: ListedRoute): Prefix | undefined => {
  const prefix = parsePrefix(dst);
  return 'problem' in prefix ? undefined : prefix;
};

/** Other tables than these are reached by rules of somebody's own, which are not looked at. */
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
 * By the key of our route that they outrank: the same prefix in front of ours, or a more specific one. IPv6 and
 * IPv4 both look through the table `local` first, and among equals IPv4 takes the one that is listed first.
 * @param listed all routes of all tables, in the kernel's order
 */
export const rivalsOf = (
  listed: readonly ListedRoute[],
  routeOf: (listed: ListedRoute) => Route,
): ReadonlyMap<string, Rival> => {
  const owns = noHolders<Own>();
  for (const [at, one] of listed.entries()) {
    const prefix = prefixOf(one);
    if (!isOwnRoute(one) || prefix === undefined) continue;
    hold(owns, prefix, { route: routeOf(one), prefix, at, metric: one.metric ?? 0 });
  }
  const rivals = new Map<string, Rival>();
  for (const [at, one] of listed.entries()) {
    if (isOwnRoute(one) || isNoise(one) || !isConsulted(one)) continue;
    const prefix = prefixOf(one);
    if (prefix === undefined) continue;
    const own = holderOf(owns, prefix);
    if (own === undefined || !contains(own.prefix, prefix)) continue;
    if (!isBefore({ listed: one, prefix, at }, own)) continue;
    // The one that can be beaten first: the next look finds the other.
    if (rivals.get(keyOfRoute(own.route))?.isBeatable) continue;
    const isEqual =
      one.table === undefined && one.tos === undefined && prefix.text === own.prefix.text;
    rivals.set(keyOfRoute(own.route), {
      text: textOf(one),
      isBeatable: isEqual && prefix.family === 4 && (one.metric ?? 0) === own.metric,
    });
  }
  return rivals;
};

/** What of a vif's addresses goes elsewhere for good; only others can mend that. */
export const shadowProblem = (
  { link, prefixes }: ServedVif,
  rivals: ReadonlyMap<string, Rival>,
): Problem | undefined => {
  if (rivals.size === 0) return undefined;
  const routes = prefixes.map((prefix) => routeTo(link, prefix));
  const rival = routes
    .map((route) => rivals.get(keyOfRoute(route)))
    .find((one) => one && !one.isBeatable);
  const text = `"${rival?.text}" is taken instead of the route to ${link}`;
  return rival && { code: 'ROUTE_SHADOWED', text };
};
