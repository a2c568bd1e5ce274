/** The static part of the firewall: what of a listing must be as it was when rules/vifwatch.nft had just been loaded. */

export type BaseNames = {
  readonly families: readonly string[];
  /** Chains, sets and maps, as `family name`; other chains and sets in our tables are not static. */
  readonly parts: ReadonlySet<string>;
};

/** What the text of rules/vifwatch.nft declares. */
export const baseNames = (text: string): BaseNames => {
  const families: string[] = [];
  const parts = new Set<string>();
  for (const line of text.split('\n')) {
    const [, keyword, name = ''] = /^\s*(table|chain|set|map) (\S+)[^{#]*\{/.exec(line) ?? [];
    if (keyword === 'table') families.push(name);
    else if (keyword !== undefined) parts.add(`${families.at(-1)} ${name}`);
  }
  return { families, parts };
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

const isStatic = (kind: string, { family, chain, name }: Body, { parts }: BaseNames): boolean =>
  kind === 'table' || parts.has(`${family} ${chain ?? name}`);

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Comparable: without handles, which count what ever was in the table, and in an order of its own, but for the
 * rules of a chain.
 * @param listings what `nft --json --stateless --terse list table …` printed
 */
export const staticPart = (listings: readonly string[], names: BaseNames): string => {
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
