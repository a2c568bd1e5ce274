/** IP addresses and prefixes. Vifwatch compares and prints their canonical form, and refuses all others. */
import ipaddr from 'ipaddr.js';
import { excerpt } from '../text/printable.ts';

export type Family = 4 | 6;

/** A host address (length 32 or 128) or a network; `text` is canonical and equal for equal prefixes. */
export type Prefix = {
  readonly family: Family;
  readonly text: string;
  readonly bytes: readonly number[];
  readonly length: number;
};

/** The reason why a text is not a usable prefix. */
type PrefixProblem = { readonly problem: string };

const bitsOf = { 4: 32, 6: 128 } as const;

/** True if the prefix is one address. */
export const isHost = (prefix: Prefix): boolean => prefix.length === bitsOf[prefix.family];

const parseAddress = (text: string): { family: Family; bytes: number[] } | undefined => {
  // ipaddr.js also accepts "10.1" and "0x0a000001", which are more likely mistakes than addresses.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return { family: 4, bytes: ipaddr.IPv4.parse(text).toByteArray() };
  }
  if (ipaddr.IPv6.isValid(text) && !text.includes('%')) {
    return { family: 6, bytes: ipaddr.IPv6.parse(text).toByteArray() };
  }
  return undefined;
};

const masked = (bytes: readonly number[], length: number): number[] =>
  bytes.map((byte, index) => {
    const keep = Math.min(8, Math.max(0, length - index * 8));
    return byte & (0xff << (8 - keep)) & 0xff;
  });

const textOf = (family: Family, bytes: number[], length: number): string => {
  const address =
    family === 4 ? new ipaddr.IPv4(bytes).toString() : new ipaddr.IPv6(bytes).toRFC5952String();
  return length === bitsOf[family] ? address : `${address}/${length}`;
};

/** Parses `10.0.5.103`, `10.9.0.0/24`, `fd00:5::7` or `fd00:9::/64`. A prefix with host bits is refused. */
export const parsePrefix = (text: string): Prefix | PrefixProblem => {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  const address = parseAddress(addressText);
  if (address === undefined || rest.length > 0) {
    return { problem: `"${excerpt(text)}" is not an IP address or prefix` };
  }
  const { family, bytes } = address;
  const length = lengthText === undefined ? bitsOf[family] : Number(lengthText);
  if (lengthText !== undefined && (!/^\d{1,3}$/.test(lengthText) || length > bitsOf[family])) {
    return { problem: `"${excerpt(text)}" has no valid prefix length` };
  }
  const network = masked(bytes, length);
  if (network.some((byte, index) => byte !== bytes[index])) {
    const host = textOf(family, bytes, bitsOf[family]);
    const net = textOf(family, network, length);
    return { problem: `"${text}" has host bits set: write ${host} or ${net}` };
  }
  return { family, bytes, length, text: textOf(family, bytes, length) };
};

/** True if `outer` contains every address of `inner`. */
export const contains = (outer: Prefix, inner: Prefix): boolean => {
  if (outer.family !== inner.family || outer.length > inner.length) return false;
  const whole = outer.length >> 3;
  for (let at = 0; at < whole; at += 1) if (outer.bytes[at] !== inner.bytes[at]) return false;
  const left = 8 - (outer.length & 7);
  return left === 8 || (outer.bytes[whole] ?? 0) >> left === (inner.bytes[whole] ?? 0) >> left;
};

/** True if both prefixes contain the same address. */
export const overlaps = (a: Prefix, b: Prefix): boolean => contains(a, b) || contains(b, a);

const neverAGuest = [
  ...['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'],
  ...['::/96', 'fe80::/10', 'ff00::/8', '::ffff:0:0/96'],
].map((text) => parsePrefix(text) as Prefix);

/**
 * Returns the unspecified, loopback, link-local, multicast, broadcast, reserved or IPv4-mapped range that
 * `prefix` overlaps; undefined if a guest may have all its addresses.
 */
export const reservedRange = (prefix: Prefix): Prefix | undefined =>
  neverAGuest.find((range) => overlaps(range, prefix));

const byFirstAddress = (a: Prefix, b: Prefix): number => {
  const at = a.bytes.findIndex((byte, index) => byte !== b.bytes[index]);
  const order = at < 0 ? 0 : (a.bytes[at] ?? 0) - (b.bytes[at] ?? 0);
  return a.family - b.family || order || a.length - b.length;
};

/** Sorts prefixes and removes each one that is a duplicate or lies within a wider one. */
export const normalise = (prefixes: readonly Prefix[]): readonly Prefix[] => {
  const kept: Prefix[] = [];
  // In this order, a wider prefix is right before all that lie within it.
  for (const prefix of [...prefixes].sort(byFirstAddress)) {
    const last = kept.at(-1);
    if (last === undefined || !contains(last, prefix)) kept.push(prefix);
  }
  return kept.sort(
    (a, b) => a.family - b.family || a.length - b.length || (a.text < b.text ? -1 : 1),
  );
};
