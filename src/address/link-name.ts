/** The names of network interfaces. */
import type { Domid } from './domid.ts';

declare const linkName: unique symbol;
/** A link's name; other texts, such as a VM's name or an address, do not have this type. */
export type LinkName = string & { readonly [linkName]: true };

/** IFNAMSIZ of Linux's include/uapi/linux/if.h, less the zero byte. */
const mostBytes = 15;

/** The kernel refuses "/" and white space in names; nft interprets `"` and `*`. */
export const isLinkName = (text: string): text is LinkName =>
  /^[^\s\p{Cc}/"*]+$/u.test(text) && Buffer.byteLength(text) <= mostBytes;

/** Types a name from the kernel, which has checked it. */
export const reportedLinkName = (text: string): LinkName => text as LinkName;

/** The link name that netback chooses (Linux drivers/net/xen-netback/interface.c). */
export const defaultLinkOf = (vif: { readonly domid: Domid; readonly devid: number }): LinkName =>
  reportedLinkName(`vif${vif.domid}.${vif.devid}`);
