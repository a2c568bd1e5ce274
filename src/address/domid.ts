/** The numbers of Xen's domains. */

declare const domid: unique symbol;
/** A domain's number; other numbers, such as a devid, do not have this type. */
export type Domid = number & { readonly [domid]: true };

export const dom0 = 0 as Domid;

/** DOMID_FIRST_RESERVED in Xen's public headers: no domain has this domid or a higher one. */
const firstReserved = 0x7ff0;

const isDomid = (value: number): value is Domid => value < firstReserved;

/** Returns the domid; undefined for any text but a domid in its usual form. */
export const parseDomid = (text: string | undefined): Domid | undefined => {
  if (text === undefined || !/^(0|[1-9]\d{0,4})$/.test(text)) return undefined;
  const value = Number(text);
  return isDomid(value) ? value : undefined;
};
