/** The static part of the firewall: the parts of a listing that only a load of rules/ may change. */

import { byText } from '../../text/by-text.ts';
import { ruleContent } from './rule-content.ts';

export type StaticNames = {
  readonly families: readonly string[];
  /** Chains, sets and maps as `family name`; other objects in vifwatch's tables are not static. */
  readonly parts: ReadonlySet<string>;
};

export type StaticPart = {
  readonly text: string;
  /** The version of the nft that listed it. */
  readonly nftVersion: string;
};

/** The operator fills these chains; vifwatch does not compare their rules. */
const isOfSite = (name: string): boolean => name.startsWith('site_');

/** The tables' families and the static objects that a file of rules/ declares. */
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
  /** Only rules have it. */
  readonly chain?: string;
  readonly handle?: number;
  readonly elem?: unknown;
  /** Only the metainfo has it. */
  readonly version?: string;
};
type Item = Readonly<Record<string, Body>>;

const isStatic = (kind: string, { family, chain, name }: Body, { parts }: StaticNames): boolean =>
  kind === 'table' || parts.has(`${family} ${chain ?? name}`);

/**
 * The static part with a text that can be compared. It omits handles, which depend on the table's history. It
 * is sorted, but a chain's rules keep their order.
 * @param listings outputs of `nft --json --stateless --terse list table …`
 */
export const staticPart = (listings: readonly string[], names: StaticNames): StaticPart => {
  const items = listings.flatMap((text) => (JSON.parse(text) as { nftables: Item[] }).nftables);
  const nftVersion = items.find((item) => 'metainfo' in item)?.['metainfo']?.version ?? '';
  const kept = items.flatMap(Object.entries).flatMap(([kind, body]) => {
    if (!isStatic(kind, body, names)) return [];
    const { handle: _handle, elem: _elem, ...rest } = body;
    const place = `${kind} ${body.family} ${body.chain ?? body.name}`;
    return [{ place, text: ruleContent(rest) }];
  });
  kept.sort((a, b) => byText(a.place, b.place));
  return { text: kept.map(({ place, text }) => `${place} ${text}`).join(''), nftVersion };
};
