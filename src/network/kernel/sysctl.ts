/** Kernel settings under /proc/sys/net. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { LinkName } from '../../address/link-name.ts';
import { VifwatchError } from '../../errors.ts';
import { isMissingFile } from '../../system/missing-file.ts';
import { settingsFor } from '../state/link-settings.ts';

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
  const settings = settingsFor(hasIpv6);
  const missing = settings.filter(({ path, value }) => !set(path.replace('*', link), value));
  return !missing.some(({ path }) => isKnown(path));
};

/** The settings of all links that override a vif's own: each with its greatest harmless value, and the harm. */
const overriding = [
  ['arp_ignore', 0, 'guests find no gateway'],
  ['proxy_arp', 0, "net-vm answers for other hosts' addresses"],
  ['rp_filter', 1, "net-vm checks guests' sources only loosely"],
] as const;

/**
 * Returns a text if one of the operator's settings of all links overrides what a vif needs. vifwatch changes no
 * setting of the host but forwarding.
 */
export const settingsProblem = (): string | undefined => {
  for (const [name, most, harm] of overriding) {
    const path = `ipv4/conf/all/${name}`;
    const value = readFileSync(`/proc/sys/net/${path}`, 'latin1').trim();
    if (Number(value) > most)
      return `${harm}, since ${path} is ${value}; run: sysctl -w net.${path.replaceAll('/', '.')}=${most}`;
  }
  return undefined;
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
