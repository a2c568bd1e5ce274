/** Kernel settings under /proc/sys/net. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { LinkName } from '../../address/link-name.ts';
import { VifwatchError } from '../../errors.ts';
import { isMissingFile } from '../../system/missing-file.ts';

type Settings = Readonly<Record<string, string>>;

/** Forwarding; strict reverse-path filter; no redirects in either direction, no source routing, no proxy ARP. */
const ipv4: Settings = {
  'ipv4/conf/*/forwarding': '1',
  'ipv4/conf/*/arp_ignore': '0',
  'ipv4/conf/*/rp_filter': '1',
  'ipv4/conf/*/accept_redirects': '0',
  'ipv4/conf/*/send_redirects': '0',
  'ipv4/conf/*/accept_source_route': '0',
  'ipv4/conf/*/proxy_arp': '0',
};

/** For a vif without an IPv6 address: net-vm does not speak IPv6 on its link. */
const withoutIpv6: Settings = { 'ipv6/conf/*/disable_ipv6': '1' };

const withIpv6: Settings = {
  'ipv6/conf/*/forwarding': '1',
  'ipv6/conf/*/accept_ra': '0',
  'ipv6/conf/*/accept_redirects': '0',
  'ipv6/conf/*/autoconf': '0',
  // All vifs have the same MAC, and the link-local address must answer at once.
  'ipv6/conf/*/accept_dad': '0',
  // Without it, the kernel does not answer a guest's solicitation for the gateway address, which is on lo.
  'ipv6/conf/*/proxy_ndp': '1',
  // By default the kernel waits up to 0.8 s before it sends a proxy answer.
  'ipv6/neigh/*/proxy_delay': '0',
  // Last: after an address change the link is already up, and IPv6 starts with this write.
  'ipv6/conf/*/disable_ipv6': '0',
};

/**
 * Writes one setting; false if its file is missing. Synchronous, since the kernel answers in microseconds and
 * a trip through the thread pool costs a hundred.
 */
const set = (path: string, value: string): boolean => {
  try {
    writeFileSync(`/proc/sys/net/${path}`, value);
    return true;
  } catch (error) {
    if (!isMissingFile(error)) throw error;
    return false;
  }
};

/** Whether the kernel gives the setting to new links; a kernel without IPv6 lacks half of the settings. */
const isKnown = (setting: string): boolean =>
  existsSync(`/proc/sys/net/${setting.replace('*', 'default')}`);

/**
 * Hardens one vif; the caller does this before it sets the link up. Returns false if the link lacks a setting
 * that the kernel gives to new links: the kernel has not finished the link yet, or the link has just vanished.
 * @throws Error if the kernel refuses a value
 */
export const hardenVif = (link: LinkName, hasIpv6: boolean): boolean => {
  const settings = Object.entries({ ...ipv4, ...(hasIpv6 ? withIpv6 : withoutIpv6) });
  const missing = settings.filter(([path, value]) => !set(path.replace('*', link), value));
  return !missing.some(([path]) => isKnown(path));
};

/** With another value, net-vm answers no ARP request for the gateways' addresses, which are on lo. */
const arpIgnore = 'ipv4/conf/all/arp_ignore';

/**
 * Returns a text if one of the operator's settings hides the gateway from guests. vifwatch changes no setting of
 * the host but forwarding.
 */
export const settingsProblem = (): string | undefined => {
  const value = readFileSync(`/proc/sys/net/${arpIgnore}`, 'latin1').trim();
  return value === '0'
    ? undefined
    : `guests find no gateway, since ${arpIgnore} is ${value}; run: sysctl -w net.${arpIgnore.replaceAll('/', '.')}=0`;
};

/**
 * Switches IPv4 and IPv6 forwarding on for the host and these links; the caller loads the static ruleset before.
 * @throws VifwatchError FORWARDING_FAILED
 */
export const switchForwardingOn = (links: readonly LinkName[]): void => {
  try {
    set('ipv4/ip_forward', '1');
    set('ipv6/conf/all/forwarding', '1');
    for (const link of links) {
      set(`ipv4/conf/${link}/forwarding`, '1');
      set(`ipv6/conf/${link}/forwarding`, '1');
    }
  } catch (error) {
    const { message } = error as Error;
    throw new VifwatchError('FORWARDING_FAILED', `cannot switch forwarding on: ${message}`);
  }
};
