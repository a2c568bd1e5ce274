/** The objects that vifwatch creates in net-vm's kernel, as comparable values. */

import type { LinkName } from '../../address/link-name.ts';
import type { Element } from './element.ts';
import type { WrongSettings } from './link-settings.ts';

/**
 * The protocol number of vifwatch's routes; 86 is 'V'. It is free in /etc/iproute2/rt_protos and no routing
 * daemon uses it.
 */
export const routeProtocol = 86;

export type Neighbour = {
  readonly link: LinkName;
  readonly address: string;
  /** A permanent entry's Ethernet address; undefined if net-vm answers for the address as a proxy. */
  readonly mac: string | undefined;
};

export type Route = {
  readonly link: LinkName;
  readonly prefix: string;
  /** The next hop of a network; a host address needs none. */
  readonly via: string | undefined;
};

export type KernelLink = {
  readonly name: LinkName;
  readonly up: boolean;
  /** Bytes. */
  readonly mtu: number;
  readonly alias: string | undefined;
  /** Names the program or link that gets a vif's packets before the firewall, and the remedy. */
  readonly attachment: string | undefined;
  /** Names an address, route or policy rule on a vif that vifwatch did not make, and the remedy. */
  readonly foreign: string | undefined;
  readonly wrongSettings: WrongSettings;
  /** net-vm's own addresses on the link, canonical. */
  readonly addresses: readonly string[];
};

/** Another program's route that the kernel prefers to vifwatch's route, for some or all of its addresses. */
export type ShadowingRoute = {
  readonly text: string;
  /** Whether vifwatch can put its own route in front of it. */
  readonly isBeatable: boolean;
};

/** The number of a policy chain's rules, or `changed` if another program changed the chain. */
export type ChainState = number | 'changed';

/** An observed state. The `keyOf…` functions give the keys, so that two states can be compared as sets. */
export type KernelState = {
  /** By the key of vifwatch's route. */
  readonly shadowingRoutes: ReadonlyMap<string, ShadowingRoute>;
  readonly links: ReadonlyMap<LinkName, KernelLink>;
  readonly elements: ReadonlyMap<string, Element>;
  /** The policy chains by their names. */
  readonly chains: ReadonlyMap<string, ChainState>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  readonly routes: ReadonlyMap<string, Route>;
  /**
   * The addresses of the routers and name servers that net-vm itself needs, each with a text that names its
   * use.
   */
  readonly needed: ReadonlyMap<string, string>;
  /** The families whose forwarding is off for the whole host. */
  readonly forwardingOff: readonly ('ipv4' | 'ipv6')[];
  /** Whether net-vm has no IPv6: then vifs are served without it. */
  readonly isIpv6Off: boolean;
};

export type Firewall = Pick<KernelState, 'elements'> & {
  /** The number of rules in each policy chain, by the chain's name. */
  readonly chains: ReadonlyMap<string, number>;
  /** The content of each policy chain as a text, which is equal while no rule changes. */
  readonly contents: ReadonlyMap<string, string>;
  /** The version of the nft that listed it: another version may list equal rules in another form. */
  readonly nftVersion: string;
};

export const keyOfNeighbour = ({ link, address, mac }: Neighbour): string =>
  `${address} ${link} ${mac ?? 'proxy'}`;

export const keyOfRoute = ({ prefix, link, via }: Route): string =>
  `${prefix} ${link} ${via ?? ''}`;

/** Makes a map from each item's key to the item. */
export const keyed = <T, Key extends string>(
  items: Iterable<T>,
  keyOf: (item: T) => Key,
): ReadonlyMap<Key, T> => {
  const map = new Map<Key, T>();
  for (const item of items) map.set(keyOf(item), item);
  return map;
};

export const isVifName = (link: string): boolean => link.startsWith('vif');
