/** Lines for `ip -batch`, and what `ip -j` prints. */

import type { BringUp } from '../plan/desired.ts';
import { isOwnRoute, type ListedRoute, shadowingRoutesOf } from '../plan/shadowing-routes.ts';
import {
  type Firewall,
  isVifName,
  type KernelLink,
  type KernelState,
  keyed,
  keyOfNeighbour,
  keyOfRoute,
  type Neighbour,
  type Route,
  routeProtocol,
} from '../state/kernel-state.ts';

const neighbourLine = (verb: 'replace' | 'del', { link, address, mac }: Neighbour): string =>
  mac === 'proxy'
    ? `neigh ${verb} proxy ${address} dev ${link}`
    : `neigh ${verb} ${address}${verb === 'del' ? '' : ` lladdr ${mac} nud permanent`} dev ${link}`;

const routeLine = (verb: 'replace' | 'prepend' | 'del', { prefix, link, via }: Route): string =>
  [
    `route ${verb} ${prefix}`,
    ...(via === undefined ? [] : [`via ${via}`]),
    `dev ${link}`,
    ...(via === undefined || verb === 'del' ? [] : ['onlink']),
    // The best there is, as 0 is by default for IPv4 only: what comes later cannot get in front.
    ...(prefix.includes(':') && verb !== 'del' ? ['metric 1'] : []),
    `proto ${routeProtocol}`,
  ].join(' ');

/** The kernel refuses to replace a route that stands behind another with the same one. */
const ahead = (route: Route): string[] => [routeLine('del', route), routeLine('prepend', route)];

/** Gives the link the name dom0 asks for; the alias remembers whose it is. A link can be renamed only while down. */
export const renameLine = ({ served: { defaultLink, link } }: BringUp): string =>
  `link set dev ${defaultLink} name ${link} alias ${defaultLink}`;

export const mtuLine = (link: string, mtu: number): string => `link set dev ${link} mtu ${mtu}`;

/** In the order that matters: neighbours, then the link up, then routes. */
export const bringUpLines = ({ served, dataplane, behind, mtu }: BringUp): readonly string[] => [
  ...(mtu === undefined ? [] : [mtuLine(served.link, mtu)]),
  ...[...dataplane.neighbours.values()].map((neighbour) => neighbourLine('replace', neighbour)),
  `link set dev ${served.link} up`,
  ...[...dataplane.routes.values()].flatMap((route) =>
    behind.includes(route) ? ahead(route) : [routeLine('replace', route)],
  ),
];

/** The reverse order; neighbours go with their link. */
export const takeDownLines = (takeDown: {
  readonly links: readonly string[];
  readonly routes: readonly Route[];
}): readonly string[] => [
  ...takeDown.routes.map((route) => routeLine('del', route)),
  ...takeDown.links.map((link) => `link set dev ${link} down`),
];

/** For a link that stays up. */
export const neighbourRemoval = (neighbour: Neighbour): string => neighbourLine('del', neighbour);

export const gatewayLine = (address: string): string =>
  `addr add ${address}/${address.includes(':') ? '128 nodad' : '32'} dev lo`;

type ListedLink = {
  ifindex: number;
  ifname: string;
  flags: readonly string[];
  mtu: number;
  ifalias?: string;
};
type ListedAddresses = { ifname: string; addr_info: readonly { local?: string }[] };
type ListedNeighbour = { dst: string; dev: string; lladdr?: string };

const linkOf = (listed: ListedLink, addresses: readonly string[]): KernelLink => ({
  name: listed.ifname,
  index: listed.ifindex,
  up: listed.flags.includes('UP'),
  mtu: listed.mtu,
  alias: listed.ifalias,
  addresses,
});

const routeOf = ({ dst, dev, gateway }: ListedRoute): Route => ({
  prefix: dst,
  link: dev ?? '',
  via: gateway,
});

const neighbourOf = ({ dst, dev, lladdr }: ListedNeighbour): Neighbour => ({
  link: dev,
  address: dst,
  mac: lladdr ?? 'proxy',
});

/** What `ip -j` printed, a JSON array each. */
export type Listings = {
  /** `link show`, which alone has the alias. */
  readonly links: string;
  /** `addr show`, which alone has the addresses. */
  readonly addresses: string;
  /** All routes, of both families. */
  readonly routes: string;
  /** Permanent entries. */
  readonly neighbours: string;
  readonly proxies: string;
};

const parse = <T>(text: string): readonly T[] => JSON.parse(text);

/** Neighbours of other links than vifs are not ours and left out. */
export const parseListings = (listings: Listings): Omit<KernelState, keyof Firewall> => {
  const routes = parse<ListedRoute>(listings.routes);
  const neighbours = [listings.neighbours, listings.proxies]
    .flatMap(parse<ListedNeighbour>)
    .filter(({ dev }) => isVifName(dev));
  const addresses = new Map(
    parse<ListedAddresses>(listings.addresses).map(({ ifname, addr_info }) => [
      ifname,
      addr_info.flatMap(({ local }) => local ?? []),
    ]),
  );
  const links = parse<ListedLink>(listings.links).map((listed) =>
    linkOf(listed, addresses.get(listed.ifname) ?? []),
  );
  return {
    links: keyed(links, ({ name }) => name),
    routes: keyed(routes.filter(isOwnRoute).map(routeOf), keyOfRoute),
    neighbours: keyed(neighbours.map(neighbourOf), keyOfNeighbour),
    shadowingRoutes: shadowingRoutesOf(routes, routeOf),
  };
};
