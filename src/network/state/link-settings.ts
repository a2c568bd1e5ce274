/** The settings below /proc/sys/net that a vif's link needs, and those that another program has changed. */
import { type LinkName, reportedLinkName } from '../../address/link-name.ts';

/** A link's settings, as the addon reads them. */
type LinkSettings = {
  readonly name: string;
  /** The values of IPV4_DEVCONF_1 and the following. */
  readonly ipv4: Int32Array;
  /** The values of DEVCONF_0 and the following; absent if the link has no IPv6. */
  readonly ipv6?: Int32Array;
  /** Absent with `ipv6`. */
  readonly proxyDelayMs?: number;
};

type Setting = {
  /** Below /proc/sys/net, with `*` in place of the link. */
  readonly path: string;
  readonly value: string;
  /** For messages. */
  readonly name: string;
  /** The present value; undefined if the link has none, or the kernel is older than the setting. */
  readonly present: (link: LinkSettings) => number | undefined;
};

/** @param number IPV4_DEVCONF_… of linux/ip.h */
const ipv4 = (name: string, number: number, value: string): Setting => ({
  ...{ path: `ipv4/conf/*/${name}`, name: `ipv4 ${name}`, value },
  present: (link) => link.ipv4[number - 1],
});

/** @param number DEVCONF_… of linux/ipv6.h */
const ipv6 = (name: string, number: number, value: string): Setting => ({
  ...{ path: `ipv6/conf/*/${name}`, name: `ipv6 ${name}`, value },
  present: (link) => link.ipv6?.[number],
});

const disableIpv6 = 26;

/** Forwarding; strict reverse-path filter; no redirects in either direction, no source routing, no proxy ARP. */
const always: readonly Setting[] = [
  ipv4('forwarding', 1, '1'),
  ipv4('arp_ignore', 19, '0'),
  ipv4('rp_filter', 8, '1'),
  ipv4('accept_redirects', 4, '0'),
  ipv4('send_redirects', 6, '0'),
  ipv4('accept_source_route', 9, '0'),
  ipv4('proxy_arp', 3, '0'),
];

const withIpv6: readonly Setting[] = [
  ...always,
  ipv6('forwarding', 0, '1'),
  ipv6('accept_ra', 3, '0'),
  ipv6('accept_redirects', 4, '0'),
  ipv6('autoconf', 5, '0'),
  // All vifs have the same MAC, and the link-local address must answer at once.
  ipv6('accept_dad', 27, '0'),
  // Without it, the kernel does not answer a guest's solicitation for the gateway address, which is on lo.
  ipv6('proxy_ndp', 22, '1'),
  {
    // By default the kernel waits up to 0.8 s before it sends a proxy answer.
    ...{ path: 'ipv6/neigh/*/proxy_delay', name: 'ipv6 proxy_delay', value: '0' },
    present: ({ proxyDelayMs }) => proxyDelayMs,
  },
  // Last: after an address change the link is already up, and IPv6 starts with this write.
  ipv6('disable_ipv6', disableIpv6, '0'),
];

/** For a vif without an IPv6 address: net-vm does not speak IPv6 on its link. */
const withoutIpv6: readonly Setting[] = [...always, ipv6('disable_ipv6', disableIpv6, '1')];

/** The settings of a vif's link, in the order in which they are written. */
export const settingsFor = (hasIpv6: boolean): readonly Setting[] =>
  hasIpv6 ? withIpv6 : withoutIpv6;

/** The names of settings that are not as a vif needs them. */
export type WrongSettings = {
  readonly withIpv6: readonly string[];
  readonly withoutIpv6: readonly string[];
};

export const noWrongSettings: WrongSettings = { withIpv6: [], withoutIpv6: [] };

/** What the kernel says about the settings of the host and its links. */
export type ListedSettings = {
  readonly links: readonly LinkSettings[];
  /** The families whose forwarding is off for the whole host. */
  readonly forwardingOff: readonly ('ipv4' | 'ipv6')[];
};

/** If forwarding is off for the whole host, it is not named for each link as well. */
export const wrongSettingsOf = ({
  links,
  forwardingOff,
}: ListedSettings): ReadonlyMap<LinkName, WrongSettings> => {
  const ofHost = new Set(forwardingOff.map((family) => `${family} forwarding`));
  const namesOf = (link: LinkSettings, hasIpv6: boolean): string[] =>
    settingsFor(hasIpv6).flatMap(({ name, value, present }) => {
      const now = present(link);
      return now === undefined || now === Number(value) || ofHost.has(name) ? [] : [name];
    });
  return new Map(
    links.map((link) => [
      reportedLinkName(link.name),
      { withIpv6: namesOf(link, true), withoutIpv6: namesOf(link, false) },
    ]),
  );
};

/** Whether the gateways on `lo` cannot have IPv6 addresses: IPv6 is switched off, or the kernel lacks it. */
export const isIpv6OffIn = ({ links }: ListedSettings): boolean => {
  const lo = links.find(({ name }) => name === 'lo');
  return lo !== undefined && lo.ipv6?.[disableIpv6] !== 0;
};
