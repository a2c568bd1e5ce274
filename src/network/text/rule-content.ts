/** The content of nftables objects as a text that is the same before they are loaded and when any nft lists them. */

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * The kernel keeps the items of an anonymous set in an order of its own, and counters count. Some versions of nft
 * list a single item without brackets: nft 1.1.4 does so for flags and for the fields of fib.
 */
const normalized = (value: Json, key = ''): Json => {
  if (value === null || typeof value !== 'object') return value;
  if (key === 'counter') return null;
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item) => normalized(item));
    if (items.length === 1) return items[0] ?? null;
    return key === 'set' ? items.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1)) : items;
  }
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]): [string, Json] => [name, normalized(inner, name)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
};

const textOf = (value: Json): string => JSON.stringify(value);

/** @param json statements or whole objects in the form of libnftables-json(5) */
export const ruleContent = (json: unknown): string => `${textOf(normalized(json as Json))}\n`;
