/** The content of an nftables rule as a text that is the same before it is loaded and when nft lists it. */

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The kernel keeps the items of an anonymous set in an order of its own, and counters count. */
const normalized = (value: Json, key = ''): Json => {
  if (key === 'counter' || value === null || typeof value !== 'object') {
    return key === 'counter' ? null : value;
  }
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item) => normalized(item));
    return key === 'set' ? items.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1)) : items;
  }
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]): [string, Json] => [name, normalized(inner, name)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
};

const textOf = (value: Json): string => JSON.stringify(value);

/** @param expr the statements of a rule in the form of libnftables-json(5) */
export const ruleContent = (expr: unknown): string => `${textOf(normalized(expr as Json))}\n`;
