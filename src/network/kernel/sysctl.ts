/** Kernel settings under /proc/sys/net. */
import { writeFileSync } from 'node:fs';
import { VifwatchError } from '../../errors.ts';

type Settings = Readonly<Record<string, string>>;

/** No redirects in either direction, strict reverse path. */
const ipv4: Settings = {
  'ipv4/conf/*/rp_filter': '1',
  'ipv4/conf/*/accept_redirects': '0',
  'ipv4/conf/*/send_redirects': '0',
  'ipv4/conf/*/accept_source_route': '0',
  'ipv4/conf/*/proxy_arp': '0',
};

/** For a vif without an IPv6 address: what net-vm does not speak there, it cannot be talked into. */
const withoutIpv6: Settings = { 'ipv6/conf/*/disable_ipv6': '1' };

const withIpv6: Settings = {
  'ipv6/conf/*/accept_ra': '0',
  'ipv6/conf/*/accept_redirects': '0',
  'ipv6/conf/*/autoconf': '0',
  // Every vif has the same MAC, and its link-local address must answer at once.
  'ipv6/conf/*/accept_dad': '0',
  // Needed so that the gateway's address on lo is answered for.
  'ipv6/conf/*/proxy_ndp': '1',
  // By default the kernel waits up to 0.8 s before it answers for another address.
  'ipv6/neigh/*/proxy_delay': '0',
  // Last, since an address change finds the link up.
  'ipv6/conf/*/disable_ipv6': '0',
};

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/**
 * Synchronous, since the kernel answers in microseconds, where a trip through the thread pool costs a
 * hundred. A kernel without IPv6 lacks half of these; a link that has just gone lacks all: no error.
 */
const set = (path: string, value: string): void => {
  try {
    writeFileSync(`/proc/sys/net/${path}`, value);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
};

/** Hardens one vif; to be done before the link goes up. Throws if the kernel refuses a value. */
export const hardenVif = (link: string, hasIpv6: boolean): void => {
  const settings = { ...ipv4, ...(hasIpv6 ? withIpv6 : withoutIpv6) };
  for (const [path, value] of Object.entries(settings)) set(path.replace('*', link), value);
};

/** Lets the kernel forward; to be done only when the firewall stands. Throws FORWARDING_FAILED. */
export const switchForwardingOn = (): void => {
  try {
    set('ipv4/ip_forward', '1');
    set('ipv6/conf/all/forwarding', '1');
  } catch (error) {
    const { message } = error as Error;
    throw new VifwatchError('FORWARDING_FAILED', `cannot switch forwarding on: ${message}`);
  }
};
