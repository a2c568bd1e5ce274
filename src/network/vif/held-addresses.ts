/** The addresses that vifs cannot get, as net-vm, a gateway or an earlier vif holds them. */

import type { LinkName } from '../../address/link-name.ts';
import { type Prefix, parsePrefix } from '../../address/prefix.ts';
import { elementLink, elementPrefix } from '../state/element.ts';
import type { KernelState } from '../state/kernel-state.ts';
import { type AddressHolders, addHolder, noHolders } from './address-holders.ts';

type Facts = { readonly kernel: KernelState; readonly gateways: readonly Prefix[] };

/** net-vm's own addresses and the guests' gateways, each with a text that names its holder. */
export const ownAddresses = ({ kernel, gateways }: Facts): AddressHolders<string> => {
  const own = noHolders<string>();
  for (const gateway of gateways) addHolder(own, gateway, `the gateway ${gateway.text}`);
  for (const { name, addresses } of kernel.links.values()) {
    for (const address of addresses) {
      const prefix = parsePrefix(address);
      if (!('problem' in prefix)) addHolder(own, prefix, `net-vm's own ${address} on ${name}`);
    }
  }
  return own;
};

/** `ownAddresses`, and the routers and name servers that net-vm needs: no vif can have any of them. */
export const reservedAddresses = (facts: Facts): AddressHolders<string> => {
  const reserved = ownAddresses(facts);
  for (const [address, text] of facts.kernel.needed) {
    const prefix = parsePrefix(address);
    if (!('problem' in prefix)) addHolder(reserved, prefix, text);
  }
  return reserved;
};

/** The addresses that the firewall still holds for links outside `liveLinks`; the holder is the link. */
export const lingeringAddresses = (
  { kernel }: Pick<Facts, 'kernel'>,
  liveLinks: ReadonlySet<LinkName>,
): AddressHolders<LinkName> => {
  const lingering = noHolders<LinkName>();
  for (const element of kernel.elements.values()) {
    const link = elementLink(element);
    const text = elementPrefix(element);
    if (text === undefined || link === undefined || liveLinks.has(link)) continue;
    const prefix = parsePrefix(text);
    if (!('problem' in prefix)) addHolder(lingering, prefix, link);
  }
  return lingering;
};
