/** Writes lines for `ip -batch` and parses the output of `ip -j`. */

import { type LinkName, reportedLinkName } from '../../address/link-name.ts';
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
import {
  isIpv6OffIn,
  type ListedSettings,
  noWrongSettings,
  wrongSettingsOf,
} from '../state/link-settings.ts';
import { type AttachableLink, attachmentsOf } from './attachments.ts';
import { foreignSettingsOf, type ListedAddress } from './foreign-settings.ts';
import { nextHopsOf, type RoutedBy } from './next-hops.ts';

const neighbourLine = (verb: 'replace' | 'del', { link, address, mac }: Neighbour): string =>
  mac === undefined
    ? `neigh ${verb} proxy ${address} dev ${link}`
    : `neigh ${verb} ${address}${verb === 'del' ? '' : ` lladdr ${mac} nud permanent`} dev ${link}`;

const routeLine = (verb: 'replace' | 'prepend' | 'del', { prefix, link, via }: Route): string =>
  [
    `route ${verb} ${prefix}`,
    ...(via === undefined ? [] : [`via ${via}`]),
    `dev ${link}`,
    ...(via === undefined || verb === 'del' ? [] : ['onlink']),
    // 1 is the best IPv6 metric, so that a later route cannot take precedence. The IPv4 default is 0, the
    // best already.
    ...(prefix.includes(':') && verb !== 'del' ? ['metric 1'] : []),
    `proto ${routeProtocol}`,
  ].join(' ');

/**
 * Moves the route in front of another program's: `replace` fails for a route that is not the first of its
 * prefix.
 */
const ahead = (route: Route): string[] => [routeLine('del', route), routeLine('prepend', route)];

/** Gives the link the name that dom0 asks for; the alias keeps its default name. The link must be down. */
export const renameLine = ({ served: { defaultLink, link } }: BringUp): string =>
  `link set dev ${defaultLink} name ${link} alias ${defaultLink}`;

export const mtuLine = (link: LinkName, mtu: number): string => `link set dev ${link} mtu ${mtu}`;

/** Changes nothing, since a vif always uses ARP; but ip waits for the kernel's lock for links. */
export const unchangedLine = (link: LinkName): string => `link set dev ${link} arp on`;

export const downLine = (link: LinkName): string => `link set dev ${link} down`;

const raiseLines = ({ served, dataplane, behind }: BringUp): readonly string[] => [
  ...[...dataplane.neighbours.values()].map((neighbour) => neighbourLine('replace', neighbour)),
  `link set dev ${served.link} up`,
  ...[...dataplane.routes.values()].flatMap((route) =>
    behind.includes(route) ? ahead(route) : [routeLine('replace', route)],
  ),
];

/** The order matters: MTU, neighbours, link up, routes. */
export const bringUpLines = (bringUp: BringUp): readonly string[] => [
  ...(bringUp.mtu === undefined ? [] : [mtuLine(bringUp.served.link, bringUp.mtu)]),
  ...(bringUp.stayDown ? [] : raiseLines(bringUp)),
];

/** Routes first, then links; the kernel removes a link's neighbour entries when the link goes down. */
export const takeDownLines = (takeDown: {
  readonly links: readonly LinkName[];
  readonly routes: readonly Route[];
}): readonly string[] => [
  ...takeDown.routes.map((route) => routeLine('del', route)),
  ...takeDown.links.map(downLine),
];

/** Removes one neighbour entry of a link that stays up. */
export const neighbourRemoval = (neighbour: Neighbour): string => neighbourLine('del', neighbour);

export const gatewayLine = (address: string): string =>
  `addr add ${address}/${address.includes(':') ? '128 nodad' : '32'} dev lo`;

type ListedLink = AttachableLink & {
  flags: readonly string[];
  mtu: number;
  ifalias?: string;
};
type ListedNeighbour = { dst: string; dev: string; lladdr?: string };

const linkOf = (
  listed: ListedLink,
  addresses: readonly string[],
  more: Pick<KernelLink, 'attachment' | 'foreign' | 'wrongSettings'>,
): KernelLink => ({
  name: reportedLinkName(listed.ifname),
  up: listed.flags.includes('UP'),
  mtu: listed.mtu,
  alias: listed.ifalias,
  addresses,
  ...more,
});

const routeOf = ({ dst, dev, gateway }: ListedRoute): Route => ({
  prefix: dst,
  link: reportedLinkName(dev ?? ''),
  via: gateway,
});

const neighbourOf = ({ dst, dev, lladdr }: ListedNeighbour): Neighbour => ({
  link: reportedLinkName(dev),
  address: dst,
  mac: lladdr,
});

/** The outputs of `ip -j`, one JSON array each, and what other sources say. */
type Listings = {
  /** `link show`; the other outputs do not have the alias. */
  readonly links: string;
  /** `addr show`; the other outputs do not have the addresses. */
  readonly addresses: string;
  /** All routes of both families. */
  readonly routes: string;
  /** Permanent neighbour entries. */
  readonly neighbours: string;
  readonly proxies: string;
  readonly settings: ListedSettings;
  /** The names of the links that policy rules name. */
  readonly ruled: ReadonlySet<string>;
  /** Finds the links on which tc handles arriving packets; takes and gives indices. */
  readonly tcLinks: (indices: readonly number[]) => ReadonlySet<number>;
  /** The addresses of the name servers. */
  readonly nameServers: readonly string[];
};

const parse = <T>(text: string): readonly T[] => JSON.parse(text);

/** Parses the listings. Only neighbour entries on vifs are kept: the others do not belong to vifwatch. */
export const parseListings = (listings: Listings): Omit<KernelState, keyof Firewall> => {
  const routes = parse<ListedRoute & RoutedBy>(listings.routes);
  const neighbours = [listings.neighbours, listings.proxies]
    .flatMap(parse<ListedNeighbour>)
    .filter(({ dev }) => isVifName(dev));
  const listedAddresses = parse<ListedAddress>(listings.addresses);
  const addresses = new Map(
    listedAddresses.map(({ ifname, addr_info }) => [
      ifname,
      addr_info.flatMap(({ local }) => local ?? []),
    ]),
  );
  const listed = parse<ListedLink>(listings.links);
  const vifs = listed.filter(({ ifname }) => isVifName(ifname));
  const attachments = attachmentsOf(listed, listings.tcLinks(vifs.map(({ ifindex }) => ifindex)));
  const wrong = wrongSettingsOf(listings.settings);
  const foreign = foreignSettingsOf({ addresses: listedAddresses, routes, ruled: listings.ruled });
  const links = listed.map((link) =>
    linkOf(link, addresses.get(link.ifname) ?? [], {
      attachment: attachments.get(link.ifname),
      foreign: foreign.get(link.ifname),
      wrongSettings: wrong.get(reportedLinkName(link.ifname)) ?? noWrongSettings,
    }),
  );
  return {
    links: keyed(links, ({ name }) => name),
    routes: keyed(routes.filter(isOwnRoute).map(routeOf), keyOfRoute),
    neighbours: keyed(neighbours.map(neighbourOf), keyOfNeighbour),
    shadowingRoutes: shadowingRoutesOf(routes, routeOf),
    forwardingOff: listings.settings.forwardingOff,
    isIpv6Off: isIpv6OffIn(listings.settings),
    needed: new Map([
      ...nextHopsOf(routes),
      ...listings.nameServers.map(
        (address) => [address, `net-vm's name server ${address}`] as const,
      ),
    ]),
  };
};
