/**
 * Finds what gets a vif's packets before the firewall does, or instead of it: bridges and other masters, links on
 * top of the vif, XDP programs, and tc.
 */
import { isVifName } from '../state/kernel-state.ts';

/** A link as `ip -j link show` prints it. */
export type AttachableLink = {
  readonly ifindex: number;
  readonly ifname: string;
  /** A bridge, bond, team, VRF or Open vSwitch. */
  readonly master?: string;
  /** The link under this one, or the peer of a veth. */
  readonly link?: string;
  readonly xdp?: unknown;
};

/** Each link's attachment as a text that names the remedy, by the link's name. */
type Attachments = ReadonlyMap<string, string>;

/** The vifs that another link is on top of. The ends of a veth name each other. */
const uppersOf = (links: readonly AttachableLink[]): ReadonlyMap<string, string> => {
  const under = new Map(links.map(({ ifname, link }) => [ifname, link]));
  return new Map(
    links.flatMap(({ ifname, link }): [string, string][] =>
      link === undefined || under.get(link) === ifname ? [] : [[link, ifname]],
    ),
  );
};

/** @param tcLinks the indices of the links on which tc handles arriving packets */
export const attachmentsOf = (
  links: readonly AttachableLink[],
  tcLinks: ReadonlySet<number>,
): Attachments => {
  const uppers = uppersOf(links);
  const textOf = ({ ifindex, ifname, master, xdp }: AttachableLink): string | undefined => {
    if (master !== undefined)
      return `the master ${master}; remove it: ip link set dev ${ifname} nomaster`;
    const upper = uppers.get(ifname);
    if (upper !== undefined)
      return `the link ${upper} on top of it; remove it: ip link delete dev ${upper}`;
    if (xdp !== undefined) return `an XDP program; remove it: ip link set dev ${ifname} xdp off`;
    if (tcLinks.has(ifindex))
      return `a qdisc of kind ingress or clsact, or a TCX program; remove it: tc qdisc delete dev ${ifname} clsact`;
    return undefined;
  };
  return new Map(
    links.flatMap((link): [string, string][] => {
      const text = isVifName(link.ifname) ? textOf(link) : undefined;
      return text === undefined ? [] : [[link.ifname, text]];
    }),
  );
};
