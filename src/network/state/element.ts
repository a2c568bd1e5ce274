/**
 * The elements of vifwatch's nftables sets and maps, and the ingress chains of links. A `prefix` may be
 * another program's range `first-last`; vifwatch itself writes only addresses and networks.
 */
import type { LinkName } from '../../address/link-name.ts';

/** A link that exists in the role that the set names. */
type LinkElement = {
  readonly set: 'vif' | 'uplink' | 'mss_clamp' | 'masquerading';
  readonly link: LinkName;
};

/** The Ethernet address that a link may use. */
type MacElement = {
  readonly set: 'mac' | 'sender_mac';
  readonly link: LinkName;
  readonly mac: string;
};

/** An address or network that a link may use. */
type OwnElement = {
  readonly set: 'address4' | 'address6' | 'network4' | 'network6';
  readonly link: LinkName;
  readonly prefix: string;
};

/** An address or network that a link may use together with its Ethernet address. */
type SourceElement = {
  readonly set: 'source4' | 'source6' | 'sender';
  readonly link: LinkName;
  readonly mac: string;
  readonly prefix: string;
};

/** An address or network without its link. */
type PrefixElement = {
  readonly set: 'live4' | 'live6' | 'vm_network4' | 'vm_network6';
  readonly prefix: string;
};

type GatewayElement = { readonly set: 'gateway'; readonly address: string };

/** Maps a link to a policy's chain: `out` for packets that its VM sends, `in` for packets to the VM. */
type VerdictElement = {
  readonly set: 'out' | 'in';
  readonly link: LinkName;
  /** Undefined for a verdict that vifwatch never writes. */
  readonly chain: string | undefined;
};

/** Map a protocol and a port of the uplink to a VM's address or port. */
type ForwardAddress = {
  readonly set: 'forward_address';
  readonly proto: string;
  readonly port: number;
  readonly address: string;
};
type ForwardPort = {
  readonly set: 'forward_port';
  readonly proto: string;
  readonly port: number;
  readonly toPort: number;
};
export type ForwardElement = ForwardAddress | ForwardPort;

/** An element that maps its key to a value. */
export type MapElement = VerdictElement | ForwardElement;

export type SetElement =
  | LinkElement
  | MacElement
  | OwnElement
  | SourceElement
  | PrefixElement
  | GatewayElement
  | MapElement;

export type SetName = SetElement['set'];

/** A link's ingress chain, which has the link's name. */
export type IngressChain = {
  readonly set: 'ingress';
  readonly link: LinkName;
  /** Whether it has other rules than vifwatch's, or is on another device: it equals no desired chain. */
  readonly isBroken: boolean;
};

export type Element = SetElement | IngressChain;

/**
 * The sets and maps of rules/*.nft with their table's family; ARP has its own, as it never passes an inet
 * hook.
 */
export const setFamilies: Readonly<Record<SetName, 'inet' | 'arp'>> = {
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
};

export const isIngressChain = (element: Element): element is IngressChain =>
  element.set === 'ingress';

export const isVerdict = (element: Element): element is VerdictElement =>
  element.set === 'out' || element.set === 'in';

export const isForward = (element: Element): element is ForwardElement =>
  element.set === 'forward_address' || element.set === 'forward_port';

/** The address or port to which packets are forwarded. */
export const forwardTarget = (element: ForwardElement): string | number =>
  element.set === 'forward_port' ? element.toPort : element.address;

/** Whether the element is an address or network without its link. */
export const isPrefixOnly = (element: Element): element is PrefixElement =>
  'prefix' in element && !('link' in element);

/**
 * The address or network that the element allows to its link; undefined for other sets, and for another
 * program's range.
 */
export const elementPrefix = (element: Element): string | undefined =>
  'prefix' in element && 'link' in element && !('mac' in element) && !element.prefix.includes('-')
    ? element.prefix
    : undefined;

/** The element's link, which may be an uplink; undefined for an element without a link. */
export const elementLink = (element: Element): LinkName | undefined =>
  'link' in element ? element.link : undefined;

/** The fields of the element's key, in the order of the set's type; a map's value is not among them. */
export const keyFields = (element: SetElement): readonly (string | number)[] => {
  if (isForward(element)) return [element.proto, element.port];
  if ('address' in element) return [element.address];
  if (!('link' in element)) return [element.prefix];
  if ('mac' in element) {
    const { link, mac } = element;
    return 'prefix' in element ? [link, mac, element.prefix] : [link, mac];
  }
  return 'prefix' in element ? [element.link, element.prefix] : [element.link];
};

/**
 * A text that names the element among all elements. A verdict map has one verdict per link, so the text omits
 * the verdict.
 */
export const keyOfElement = (element: Element): string => {
  const { set } = element;
  if (set === 'ingress') return `${set} ${element.link}${element.isBroken ? ' . broken' : ''}`;
  const key = `${set} ${keyFields(element).join(' . ')}`;
  return isForward(element) ? `${key} . ${forwardTarget(element)}` : key;
};

/** Whether two elements with the same key are equal. */
export const isSameElement = (a: Element, b: Element): boolean =>
  !isVerdict(a) || !isVerdict(b) || a.chain === b.chain;
