/** The objects that vifwatch creates in net-vm's kernel, as comparable values. */

/**
 * The protocol number of vifwatch's routes; 86 is 'V'. It is free in /etc/iproute2/rt_protos and no routing
 * daemon uses it.
 */
export const routeProtocol = 86;

/**
 * The sets and maps of rules/*.nft with their table's family; ARP has its own, as it never passes an inet
 * hook.
 */
export const setFamilies = {
  source4: 'inet',
  source6: 'inet',
  mac: 'inet',
  vif: 'inet',
  address4: 'inet',
  address6: 'inet',
  network4: 'inet',
  network6: 'inet',
  live4: 'inet',
  live6: 'inet',
  vm_network4: 'inet',
  vm_network6: 'inet',
  uplink: 'inet',
  mss_clamp: 'inet',
  out: 'inet',
  in: 'inet',
  masquerading: 'inet',
  forward_address: 'inet',
  forward_port: 'inet',
  sender: 'arp',
  sender_mac: 'arp',
  gateway: 'arp',
} as const;

export type SetName = keyof typeof setFamilies;

/**
 * An element of a set or map. `parts` follow the order of the set's type; a map's value comes last, and a
 * verdict map's value is a chain name. With the set `ingress` it stands for a link's ingress chain, which has
 * the link's name.
 */
export type Element = { readonly set: SetName | 'ingress'; readonly parts: readonly string[] };

/** Maps a link to a policy's chain: `out` for packets that its VM sends, `in` for packets to the VM. */
type VerdictMap = 'out' | 'in';

export const isVerdictMap = (set: Element['set']): set is VerdictMap =>
  set === 'out' || set === 'in';

/** Map a protocol and a port of the uplink to a VM's address or port. */
type ForwardMap = 'forward_address' | 'forward_port';

export const isForwardMap = (set: Element['set']): set is ForwardMap =>
  set === 'forward_address' || set === 'forward_port';

/** Sets whose `parts` are a link and an address or network that it may use. */
const ownSets: ReadonlySet<string> = new Set(['address4', 'address6', 'network4', 'network6']);

/** The address or network that the element allows to its link; undefined for other sets. */
export const elementAddress = ({ set, parts }: Element): string | undefined =>
  ownSets.has(set) ? parts[1] : undefined;

const addressSets: ReadonlySet<string> = new Set(['live4', 'live6', 'vm_network4', 'vm_network6']);

/** Whether the element is an address or network without its link. */
export const isAddressOnly = ({ set }: Element): boolean => addressSets.has(set);

/** The element's link, which may be an uplink; undefined for an element without a link. */
export const elementLink = (element: Element): string | undefined =>
  isAddressOnly(element) || isForwardMap(element.set) || element.set === 'gateway'
    ? undefined
    : element.parts[0];

export type Neighbour = {
  readonly link: string;
  readonly address: string;
  /** A permanent entry's Ethernet address, or `proxy` if net-vm answers for the address. */
  readonly mac: string;
};

export type Route = {
  readonly link: string;
  readonly prefix: string;
  /** The next hop of a network; a host address needs none. */
  readonly via: string | undefined;
};

export type KernelLink = {
  readonly name: string;
  /** The kernel's ifindex: if it changes under the same name, the device is a different one. */
  readonly index: number;
  readonly up: boolean;
  /** Bytes. */
  readonly mtu: number;
  readonly alias: string | undefined;
  /** net-vm's own addresses on the link, canonical. */
  readonly addresses: readonly string[];
};

/** Another program's route that the kernel prefers to vifwatch's route, for some or all of its addresses. */
export type ShadowingRoute = {
  readonly text: string;
  /** Whether vifwatch can put its own route in front of it. */
  readonly isBeatable: boolean;
};

/** An observed state. The `keyOf…` functions give the keys, so that two states can be compared as sets. */
export type KernelState = {
  /** By the key of vifwatch's route. */
  readonly shadowingRoutes: ReadonlyMap<string, ShadowingRoute>;
  readonly links: ReadonlyMap<string, KernelLink>;
  readonly elements: ReadonlyMap<string, Element>;
  /** The number of rules in each policy chain, by the chain's name. */
  readonly chains: ReadonlyMap<string, number>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  readonly routes: ReadonlyMap<string, Route>;
};

export type Firewall = Pick<KernelState, 'elements' | 'chains'> & {
  /** The content of each policy chain as a text, which is equal while no rule changes. */
  readonly contents: ReadonlyMap<string, string>;
};

/** The element's key. A verdict map has one verdict per link, so the key omits the verdict. */
export const keyOfElement = ({ set, parts }: Element): string =>
  isVerdictMap(set) ? `${set} ${parts[0]}` : `${set} ${parts.join(' . ')}`;

/** Whether two elements with the same key are equal. */
export const isSameElement = (a: Element, b: Element): boolean =>
  !isVerdictMap(a.set) || a.parts[1] === b.parts[1];

export const keyOfNeighbour = ({ link, address, mac }: Neighbour): string =>
  `${address} ${link} ${mac}`;

export const keyOfRoute = ({ prefix, link, via }: Route): string =>
  `${prefix} ${link} ${via ?? ''}`;

/** Makes a map from each item's key to the item. */
export const keyed = <T>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
): ReadonlyMap<string, T> => {
  const map = new Map<string, T>();
  for (const item of items) map.set(keyOf(item), item);
  return map;
};

export const isVifName = (link: string): boolean => link.startsWith('vif');
