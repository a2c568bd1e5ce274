/** What vifwatch puts into the kernel of net-vm, as comparable values. */

/** Marks our routes. Free in /etc/iproute2/rt_protos and in no routing daemon's use; 86 is 'V'. */
export const routeProtocol = 86;

/** The sets and verdict maps of rules/vifwatch.nft. */
export type SetName =
  | 'mac'
  | 'address4'
  | 'address6'
  | 'uplink'
  | 'sender'
  | 'masquerading'
  | ForwardMap
  | VerdictMap;

/** From a link to the chain of what its VM may send, or of what it may be sent. */
export type VerdictMap = 'out' | 'in';

/** One element; `parts` in the order of the set's type, the link's name first; a verdict map's last is the chain. a forwarding map's is the address or port. */
export type Element = { readonly set: SetName; readonly parts: readonly string[] };

/** ARP never passes an inet hook, so its set is in a table of the arp family. */
export const familyOf = (set: SetName): 'inet' | 'arp' => (set === 'sender' ? 'arp' : 'inet');

/** From the protocol and port that the uplink has to the address and port of a VM. */
type ForwardMap = 'forward_address' | 'forward_port';

export const isForwardMap = (set: SetName): set is ForwardMap =>
  set === 'forward_address' || set === 'forward_port';

export const isVerdictMap = (set: SetName): set is VerdictMap => set === 'out' || set === 'in';

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

/** Elements, neighbours and routes are keyed by `keyOf…`, so that two states compare as sets. */
export type KernelState = {
  readonly links: ReadonlyMap<string, Link>;
  readonly elements: ReadonlyMap<string, Element>;
  /** The chains of policies, by name, with the number of rules in them. */
  readonly chains: ReadonlyMap<string, number>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  readonly routes: ReadonlyMap<string, Route>;
};

export type Firewall = Pick<KernelState, 'elements' | 'chains'>;

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
