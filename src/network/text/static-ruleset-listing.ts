/** The static part of the firewall: what of a listing must be as it was when the files of rules/ had just been loaded. */

export type StaticNames = {
  readonly families: readonly string[];
  /** Chains, sets and maps, as `family name`; other chains and sets in our tables are not static. */
  readonly parts: ReadonlySet<string>;
};

/** What is in these chains is the site's affair. */
const isOfSite = (name: string): boolean => name.startsWith('site_');

/** What the text of rules declares. */
export const staticNamesIn = (text: string): StaticNames => {
  const families = new Set<string>();
  const parts = new Set<string>();
  let family = '';
  for (const line of text.split('\n')) {
    const [, keyword, name = ''] = /^\s*(table|chain|set|map) (\S+)[^{#]*\{/.exec(line) ?? [];
    if (keyword === 'table') {
      family = name;
      families.add(family);
    } else if (keyword !== undefined && !isOfSite(name)) parts.add(`${family} ${name}`);
  }
  return { families: [...families], parts };
};

type Body = {
  readonly family?: string;
  readonly name?: string;
  /** Of a rule. */
  readonly chain?: string;
  readonly handle?: number;
  readonly elem?: unknown;
};
type Item = Readonly<Record<string, Body>>;

const isStatic = (kind: string, { family, chain, name }: Body, { parts }: StaticNames): boolean =>
  kind === 'table' || parts.has(`${family} ${chain ?? name}`);

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Comparable: without handles, which count what ever was in the table, and in an order of its own, but for the
 * rules of a chain.
 * @param listings what `nft --json --stateless --terse list table …` printed
 */
export const staticPart = (listings: readonly string[], names: StaticNames): string => {
  const items = listings.flatMap((text) => (JSON.parse(text) as { nftables: Item[] }).nftables);
  const kept = items.flatMap(Object.entries).flatMap(([kind, body]) => {
    if (!isStatic(kind, body, names)) return [];
    const { handle: _handle, elem: _elem, ...rest } = body;
    const place = `${kind} ${body.family} ${body.chain ?? body.name}`;
    return [{ place, text: JSON.stringify(rest) }];
  });
  kept.sort((a, b) => byText(a.place, b.place));
  return kept.map(({ place, text }) => `${place} ${text}`).join('\n');
};
