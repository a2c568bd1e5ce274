/** The kernel objects that belong to one served vif. */

import type { LinkName } from '../../address/link-name.ts';
import { type Family, isHost, type Prefix } from '../../address/prefix.ts';
import type { Chain } from '../policy/policy-chain.ts';
import { type Element, isPrefixOnly, keyOfElement } from '../state/element.ts';
import {
  keyed,
  keyOfNeighbour,
  keyOfRoute,
  type Neighbour,
  type Route,
} from '../state/kernel-state.ts';
import type { ServedVif } from '../vif/served-vif.ts';

export type VifDataplane = {
  /** The policy chains to which the verdict maps' elements jump. */
  readonly chains: readonly Chain[];
  /** Elements, neighbours and routes by their keys, as in `KernelState`. */
  readonly elements: ReadonlyMap<string, Element>;
  /** The keys of the elements that have no link: vifs of the same VM can share them. */
  readonly ofNoLink: readonly string[];
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  readonly routes: ReadonlyMap<string, Route>;
};

/**
 * The next hop of routes to networks. It exists only as a permanent neighbour entry with the vif's MAC. So a
 * scan of the network causes no address resolution and cannot fill the neighbour table.
 */
const nextHop: Readonly<Record<Family, string>> = { 4: '169.254.0.1', 6: 'fe80::1' };

/** Networks have their own sets; `hostElements` also puts them into the sets of all VMs' networks. */
const elementsOfPrefix = ({ link, mac }: ServedVif, prefix: Prefix): Element[] => {
  const { family, text } = prefix;
  const sender: Element[] = family === 4 ? [{ set: 'sender', link, mac, prefix: text }] : [];
  return isHost(prefix)
    ? [
        { set: `address${family}`, link, prefix: text },
        { set: `live${family}`, prefix: text },
        { set: `source${family}`, link, mac, prefix: text },
        ...sender,
      ]
    : [{ set: `network${family}`, link, prefix: text }, ...sender];
};

const elementsOf = (vif: ServedVif): Element[] => {
  const { link, mac, prefixes, policy } = vif;
  return [
    { set: 'mac', link, mac },
    { set: 'vif', link },
    { set: 'sender_mac', link, mac },
    { set: 'ingress', link, isBroken: false },
    ...prefixes.flatMap((prefix) => elementsOfPrefix(vif, prefix)),
    { set: 'out', link, chain: policy.chains.out.name },
    { set: 'in', link, chain: policy.chains.in.name },
  ];
};

/** The route to an address or network of a vif. */
export const routeTo = (link: LinkName, prefix: Prefix): Route => ({
  link,
  prefix: prefix.text,
  via: isHost(prefix) ? undefined : nextHop[prefix.family],
});

/** The addresses and networks for which net-vm has routes and neighbour entries. */
const reachable = ({ prefixes, hasIpv6 }: ServedVif): readonly Prefix[] =>
  prefixes.filter(({ family }) => family === 4 || hasIpv6);

const neighboursOf = (vif: ServedVif, gateways: readonly Prefix[]) => {
  const { link, mac, hasIpv6 } = vif;
  const addresses = reachable(vif).map((p) => (isHost(p) ? p.text : nextHop[p.family]));
  const permanent = [...new Set(addresses)].map((address): Neighbour => ({ link, address, mac }));
  // The kernel answers a neighbour solicitation only for the link's own or proxied addresses; ARP is less
  // strict.
  const proxied = hasIpv6 ? gateways.filter(({ family }) => family === 6) : [];
  return [...permanent, ...proxied.map(({ text }) => ({ link, address: text, mac: undefined }))];
};

const buildDataplane = (vif: ServedVif, gateways: readonly Prefix[]): VifDataplane => {
  const elements = elementsOf(vif);
  return {
    chains: [vif.policy.chains.out, vif.policy.chains.in],
    elements: keyed(elements, keyOfElement),
    ofNoLink: elements.filter(isPrefixOnly).map(keyOfElement),
    neighbours: keyed(neighboursOf(vif, gateways), keyOfNeighbour),
    routes: keyed(
      vif.routed ? reachable(vif).map((prefix) => routeTo(vif.link, prefix)) : [],
      keyOfRoute,
    ),
  };
};

type Known = { readonly gateways: readonly Prefix[]; readonly dataplane: VifDataplane };

/** A cache, since every pass asks for each vif's dataplane. */
const known = new WeakMap<ServedVif, Known>();

/** @param gateways the guests' gateway addresses, which are on `lo` */
export const dataplaneOfVif = (vif: ServedVif, gateways: readonly Prefix[]): VifDataplane => {
  const before = known.get(vif);
  if (before?.gateways === gateways) return before.dataplane;
  const dataplane = buildDataplane(vif, gateways);
  known.set(vif, { gateways, dataplane });
  return dataplane;
};
