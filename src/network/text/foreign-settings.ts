/**
 * Finds addresses, routes and policy rules on vifs that vifwatch did not make. They send packets to the wrong place,
 * but the firewall's rules hold all the same.
 */
import { isOwnRoute, type ListedRoute } from '../plan/shadowing-routes.ts';
import { isVifName } from '../state/kernel-state.ts';

type Hop = { readonly dev?: string };

export type ListedAddress = {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local?: string; readonly prefixlen?: number }[];
};

type Listed = {
  readonly addresses: readonly ListedAddress[];
  readonly routes: readonly (ListedRoute & { readonly nexthops?: readonly Hop[] })[];
  /** The names of the links that policy rules name. */
  readonly ruled: ReadonlySet<string>;
};

/** The kernel gives each link with IPv6 such an address. */
const isLinkLocal = (address: string): boolean => /^fe[89ab][0-9a-f]:/i.test(address);

const addressTexts = ({ ifname, addr_info }: ListedAddress): string[] =>
  addr_info.flatMap(({ local, prefixlen }) =>
    local === undefined || isLinkLocal(local)
      ? []
      : [
          `the address ${local}/${prefixlen}; remove it: ip address del ${local}/${prefixlen} dev ${ifname}`,
        ],
  );

/** The kernel makes routes for the addresses and for multicast; both go with their cause. */
const isForeign = (route: ListedRoute): boolean =>
  !isOwnRoute(route) && route.protocol !== 'kernel' && route.type !== 'multicast';

const routeText = ({ dst, gateway, table }: ListedRoute, dev: string): string => {
  const family = dst.includes(':') || gateway?.includes(':') ? '-6 ' : '';
  const rest = table === undefined ? '' : ` table ${table}`;
  return `a route to ${dst}; remove it: ip ${family}route del ${dst} dev ${dev}${rest}`;
};

/** One text per vif that has such a thing: what it is, and the remedy. */
export const foreignSettingsOf = ({
  addresses,
  routes,
  ruled,
}: Listed): ReadonlyMap<string, string> => {
  const ofVifs = new Map<string, string>();
  const note = (dev: string | undefined, text: string | undefined): void => {
    if (dev !== undefined && text !== undefined && isVifName(dev) && !ofVifs.has(dev))
      ofVifs.set(dev, text);
  };
  for (const listed of addresses)
    if (isVifName(listed.ifname)) note(listed.ifname, addressTexts(listed)[0]);
  for (const route of routes) {
    if (!isForeign(route)) continue;
    for (const { dev } of [route, ...(route.nexthops ?? [])])
      if (dev !== undefined) note(dev, routeText(route, dev));
  }
  for (const dev of ruled)
    note(dev, 'a policy rule; find it with ip rule and ip -6 rule, and delete it');
  return ofVifs;
};
