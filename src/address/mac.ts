/** Ethernet addresses of vifs, as dom0 writes them into backend directories. */

/** Netback's address on its own end of every vif (Linux drivers/net/xen-netback/interface.c). */
const backendMac = 'fe:ff:ff:ff:ff:ff';

/** Returns the lower-case form; undefined if the MAC is malformed, multicast, zero or netback's own. */
export const parseMac = (text: string): string | undefined => {
  const mac = text.toLowerCase();
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) return undefined;
  const isMulticast = (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
  if (isMulticast || mac === '00:00:00:00:00:00' || mac === backendMac) return undefined;
  return mac;
};
