/**
 * The MTU of a vif without an MTU from dom0: it is the uplink's, so that a guest's packets fit on the uplink.
 */

import type { LinkName } from '../../address/link-name.ts';
import type { Prefix } from '../../address/prefix.ts';
import type { KernelLink, KernelState } from '../state/kernel-state.ts';

/** Bytes. netback gives a new link this MTU, and refuses a larger one if the guest has no scatter-gather. */
export const ethernetMtu = 1500;

/** ETH_MAX_MTU - VLAN_ETH_HLEN: the largest MTU that netback accepts. */
const netbackMost = 65517;

/** The smallest MTU for IPv6 (RFC 8200): below it, the kernel disables IPv6 on the link. */
const leastForIpv6 = 1280;

/**
 * The smallest MTU of the uplinks that are up; undefined if all are down. Links that are down do not count,
 * as the kernel keeps tunnels that are not in use.
 */
export const uplinkMtu = (
  { links }: Pick<KernelState, 'links'>,
  uplinks: readonly LinkName[],
): number | undefined => {
  const mtus = uplinks.flatMap((name) => {
    const link = links.get(name);
    return link?.up ? [link.mtu] : [];
  });
  return mtus.length === 0 ? undefined : Math.min(...mtus, netbackMost);
};

/**
 * The MTU for a vif without an MTU from dom0; undefined leaves the link's MTU as it is.
 * @param refused the MTU that netback refused for this vif
 */
export const inheritedMtu = (
  uplink: number | undefined,
  prefixes: readonly Prefix[],
  refused: number | undefined,
): number | undefined => {
  if (uplink === undefined) return undefined;
  if (uplink === refused) return Math.min(uplink, ethernetMtu);
  const least = prefixes.some(({ family }) => family === 6) ? leastForIpv6 : 0;
  return Math.max(uplink, least);
};

/**
 * The MTU that must be set; undefined if the link has it. An unknown link is assumed to have netback's
 * default MTU; the next observation corrects a wrong assumption.
 */
export const mtuToSet = (
  link: KernelLink | undefined,
  wanted: number | undefined,
  isCurrent: boolean,
): number | undefined => {
  if (link === undefined) return wanted === ethernetMtu ? undefined : wanted;
  return isCurrent && link.mtu === wanted ? undefined : wanted;
};
