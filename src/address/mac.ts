/** Ethernet addresses of vifs, as dom0 writes them into backend directories. */

/** Netback's address on its own end of every vif (Linux drivers/net/xen-netback/interface.c). */
const backendMac = 'fe:ff:ff:ff:ff:ff';

declare const mac: unique symbol;
/** A vif's Ethernet address in lower case. */
export type Mac = string & { readonly [mac]: true };

const isMac = (text: string): text is Mac => {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(text)) return false;
  const isMulticast = (Number.parseInt(text.slice(0, 2), 16) & 1) === 1;
  return !isMulticast && text !== '00:00:00:00:00:00' && text !== backendMac;
};

/** Returns the lower-case form; undefined if the MAC is malformed, multicast, zero or netback's own. */
export const parseMac = (text: string): Mac | undefined => {
  const lower = text.toLowerCase();
  return isMac(lower) ? lower : undefined;
};
