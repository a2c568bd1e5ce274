/** What vifwatch puts into the kernel of net-vm, as comparable values. */

/** Marks our routes. Free in /etc/iproute2/rt_protos and in no routing daemon's use; 86 is 'V'. */
export const routeProtocol = 86;

/** The sets of rules/vifwatch.nft, by table family. */
export type SetName =
  | 'mac'
  | 'address4'
  | 'address6'
  | 'network4'
  | 'network6'
  | 'uplink'
  | 'mss_clamp'
  | 'sender';

/** One set element; `parts` in the order of the set's type, the link's name first. */
export type Element = { readonly set: SetName; readonly parts: readonly string[] };

/** ARP never passes an inet hook, so its set is in a table of the arp family. */
export const familyOf = (set: SetName): 'inet' | 'arp' => (set === 'sender' ? 'arp' : 'inet');

const ofAddresses: ReadonlySet<SetName> = new Set(['address4', 'address6', 'network4', 'network6']);

/** The address or network that the element lets its link have, if it is of that kind. */
export const elementAddress = ({ set, parts }: Element): string | undefined =>
  ofAddresses.has(set) ? parts[1] : undefined;

export const elementLink = (element: Element): string => element.parts[0] ?? '';

export type Neighbour = {
  readonly link: string;
  readonly address: string;
  /** A permanent entry's Ethernet address, or `proxy` for an address that net-vm answers for. */
  readonly mac: string;
};

export type Route = {
  readonly link: string;
  readonly prefix: string;
  /** The next hop of a network; a host address needs none. */
  readonly via: string | undefined;
};

export type Link = {
  readonly name: string;
  /** The kernel's ifindex: another one under the same name is another device. */
  readonly index: number;
  readonly up: boolean;
  /** Bytes. */
  readonly mtu: number;
  readonly alias: string | undefined;
  /** Addresses that net-vm itself has on the link, canonical. */
  readonly addresses: readonly string[];
};

/** Keyed by `keyOf…`, so that two states compare as sets. */
export type KernelState = {
  readonly links: ReadonlyMap<string, Link>;
  readonly elements: ReadonlyMap<string, Element>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  readonly routes: ReadonlyMap<string, Route>;
};

export const keyOfElement = ({ set, parts }: Element): string => `${set} ${parts.join(' . ')}`;

export const keyOfNeighbour = ({ link, address, mac }: Neighbour): string =>
  `${address} ${link} ${mac}`;

export const keyOfRoute = ({ prefix, link, via }: Route): string =>
  `${prefix} ${link} ${via ?? ''}`;

/** A map from each item's key to the item. */
export const keyed = <T>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
): ReadonlyMap<string, T> => {
  const map = new Map<string, T>();
  for (const item of items) map.set(keyOf(item), item);
  return map;
};

export const isVifName = (link: string): boolean => link.startsWith('vif');
