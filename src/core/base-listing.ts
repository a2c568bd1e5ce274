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
    const [, keyword, name = ''] =
      /^\s*(table|chain|set|map) (\S+) .*\{\s*$/.exec(`${line} `.replace('{ ', ' {')) ?? [];
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

/**
 * Comparable: handles, which count what ever was in the table, are left out.
 * @param listings what `nft --json --stateless --terse list table …` printed
 */
export const staticPart = (listings: readonly string[], names: BaseNames): string => {
  const items = listings.flatMap((text) => (JSON.parse(text) as { nftables: Item[] }).nftables);
  const kept = items.flatMap(Object.entries).flatMap(([kind, body]) => {
    if (!isStatic(kind, body, names)) return [];
    const { handle: _handle, elem: _elem, ...rest } = body;
    return [JSON.stringify({ [kind]: rest })];
  });
  return kept.join('\n');
};
