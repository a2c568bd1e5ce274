/** A vif's Ethernet address, as dom0 wrote it into the backend directory. */

/** What netback gives its own end of every vif (Linux drivers/net/xen-netback/interface.c). */
const backendMac = 'fe:ff:ff:ff:ff:ff';

/** The canonical lower-case form, or undefined if it is malformed, multicast, zero or netback's own. */
export const parseMac = (text: string): string | undefined => {
  const mac = text.toLowerCase();
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) return undefined;
  const isMulticast = (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
  if (isMulticast || mac === '00:00:00:00:00:00' || mac === backendMac) return undefined;
  return mac;
};
