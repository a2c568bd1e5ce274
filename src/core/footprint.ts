/** Everything that one served vif owns in the kernel. */
import type { VifKey } from './backend-vif.ts';
import type { Element, Neighbour, Route, SetName } from './kernel-state.ts';
import { type Family, isHost, type Prefix } from './prefix.ts';

/** A vif that may have the network, with the addresses it may use. */
export type ServedVif = {
  readonly key: VifKey;
  readonly domid: number;
  readonly devid: number;
  readonly bornLink: string;
  readonly link: string;
  readonly mac: string;
  readonly prefixes: readonly Prefix[];
  /** False while the same addresses are routed to another vif of the same VM. */
  readonly routed: boolean;
  /** Bytes; undefined leaves the link's own. */
  readonly mtu: number | undefined;
};

export type Footprint = {
  readonly elements: readonly Element[];
  readonly neighbours: readonly Neighbour[];
  readonly routes: readonly Route[];
};

/**
 * Networks are routed to a next hop that exists only as a permanent neighbour with the vif's MAC:
 * a scan of the network then resolves nothing and fills no neighbour table.
 */
const nextHop: Readonly<Record<Family, string>> = { 4: '169.254.0.1', 6: 'fe80::1' };

const addressSet = (prefix: Prefix): SetName =>
  isHost(prefix) ? `address${prefix.family}` : `network${prefix.family}`;

const elementsOf = ({ link, mac, prefixes }: ServedVif): Element[] => [
  { set: 'mac', parts: [link, mac] },
  ...prefixes.flatMap((prefix): Element[] => {
    const { family, text } = prefix;
    const own: Element = { set: addressSet(prefix), parts: [link, text] };
    return family === 4 ? [own, { set: 'sender', parts: [link, mac, text] }] : [own];
  }),
];

const routeOf = (link: string, prefix: Prefix): Route => ({
  link,
  prefix: prefix.text,
  via: isHost(prefix) ? undefined : nextHop[prefix.family],
});

const neighboursOf = ({ link, mac, prefixes }: ServedVif, gateways: readonly Prefix[]) => {
  const addresses = prefixes.map((p) => (isHost(p) ? p.text : nextHop[p.family]));
  const permanent = [...new Set(addresses)].map((address): Neighbour => ({ link, address, mac }));
  // Unlike ARP, the kernel answers a solicitation only for an address on that very link, or a proxied one.
  const proxied = prefixes.some(({ family }) => family === 6)
    ? gateways.filter(({ family }) => family === 6)
    : [];
  return [...permanent, ...proxied.map(({ text }) => ({ link, address: text, mac: 'proxy' }))];
};

/** @param gateways the guests' gateway addresses, which live on `lo` */
export const footprint = (vif: ServedVif, gateways: readonly Prefix[]): Footprint => ({
  elements: elementsOf(vif),
  neighbours: neighboursOf(vif, gateways),
  routes: vif.routed ? vif.prefixes.map((prefix) => routeOf(vif.link, prefix)) : [],
});
