/** What vifwatch puts into the kernel of net-vm, as comparable values. */

/** Marks our routes. Free in /etc/iproute2/rt_protos and in no routing daemon's use; 86 is 'V'. */
export const routeProtocol = 86;

/** The sets and maps of rules/*.nft and their tables' families: ARP never passes an inet hook. */
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
 * One element, `parts` in the order of the set's type, with a map's value last: a verdict map's is a chain. Or a
 * link's `ingress` chain, which is named like the link.
 */
export type Element = { readonly set: SetName | 'ingress'; readonly parts: readonly string[] };

/** From a link to the chain of what its VM may send, or of what it may be sent. */
type VerdictMap = 'out' | 'in';

export const isVerdictMap = (set: Element['set']): set is VerdictMap =>
  set === 'out' || set === 'in';

/** From the protocol and port that the uplink has to the address and port of a VM. */
type ForwardMap = 'forward_address' | 'forward_port';

export const isForwardMap = (set: Element['set']): set is ForwardMap =>
  set === 'forward_address' || set === 'forward_port';

/** Sets of what may be a link's: `parts` are the link and the address or network. */
const ownSets: ReadonlySet<string> = new Set(['address4', 'address6', 'network4', 'network6']);

/** The address or network that the element lets its link have, if it is of that kind. */
export const elementAddress = ({ set, parts }: Element): string | undefined =>
  ownSets.has(set) ? parts[1] : undefined;

const addressSets: ReadonlySet<string> = new Set(['live4', 'live6', 'vm_network4', 'vm_network6']);

/** Whether the element speaks of an address and not of who has it. */
export const isAddressOnly = ({ set }: Element): boolean => addressSets.has(set);

/** Undefined for an element that belongs to no link. */
export const elementLink = (element: Element): string | undefined =>
  isAddressOnly(element) || isForwardMap(element.set) || element.set === 'gateway'
    ? undefined
    : element.parts[0];

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

export type KernelLink = {
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

/** A route of somebody else that is taken instead of ours, or for some of its addresses. */
export type ShadowingRoute = {
  readonly text: string;
  /** Ours can be put in front of it. */
  readonly isBeatable: boolean;
};

/** Elements, neighbours and routes are keyed by `keyOf…`, so that two states compare as sets. */
export type KernelState = {
  /** By the key of the route of ours. */
  readonly shadowingRoutes: ReadonlyMap<string, ShadowingRoute>;
  readonly links: ReadonlyMap<string, KernelLink>;
  readonly elements: ReadonlyMap<string, Element>;
  /** The chains of policies, by name, with the number of rules in them. */
  readonly chains: ReadonlyMap<string, number>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  readonly routes: ReadonlyMap<string, Route>;
};

export type Firewall = Pick<KernelState, 'elements' | 'chains'> & {
  /** What each of these chains says: text that is the same as long as nobody changes a rule. */
  readonly contents: ReadonlyMap<string, string>;
};

/** A link has one verdict, whatever it is: the key is without it. */
export const keyOfElement = ({ set, parts }: Element): string =>
  isVerdictMap(set) ? `${set} ${parts[0]}` : `${set} ${parts.join(' . ')}`;

/** Of two elements with one key. */
export const isSameElement = (a: Element, b: Element): boolean =>
  !isVerdictMap(a.set) || a.parts[1] === b.parts[1];

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
