/** The MTU of a vif to which dom0 gives none: the uplink's, so that no packet is too long only beyond net-vm. */

import type { Prefix } from '../../address/prefix.ts';
import type { KernelLink, KernelState } from '../state/kernel-state.ts';

/** Bytes. What netback gives a new link, and the most that it lets a guest have that cannot gather pieces. */
export const ethernetMtu = 1500;

/** ETH_MAX_MTU - VLAN_ETH_HLEN, the most that netback allows at all. */
const netbackMost = 65517;

/** Below it the kernel takes IPv6 off the link (RFC 8200). */
const leastForIpv6 = 1280;

/** The smallest of the uplinks that are up, since the kernel keeps tunnels that nobody uses; undefined if none is. */
export const uplinkMtu = (
  { links }: Pick<KernelState, 'links'>,
  uplinks: readonly string[],
): number | undefined => {
  const mtus = uplinks.flatMap((name) => {
    const link = links.get(name);
    return link?.up ? [link.mtu] : [];
  });
  return mtus.length === 0 ? undefined : Math.min(...mtus, netbackMost);
};

/** @param refused what netback has refused this vif */
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
 * What is to be set; undefined if the link has it. An unknown link is believed to be as netback makes it: if that is
 * wrong, the next observation tells.
 */
export const mtuToSet = (
  link: KernelLink | undefined,
  wanted: number | undefined,
  isCurrent: boolean,
): number | undefined => {
  if (link === undefined) return wanted === ethernetMtu ? undefined : wanted;
  return isCurrent && link.mtu === wanted ? undefined : wanted;
};
