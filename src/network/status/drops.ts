/** What the rules have dropped since they were first loaded, by the names of their counters. */

export type Drops = Readonly<Record<string, number>>;

type Listed = { readonly counter?: { name: string; table: string; packets: number } };

/** @param listing what `nft -j list counters` printed; those of other tables are left out, and those that count nothing */
export const parseDrops = (listing: string): Drops => {
  const { nftables } = JSON.parse(listing) as { nftables: readonly Listed[] };
  const drops: Record<string, number> = {};
  for (const { counter } of nftables) {
    if (counter?.table !== 'vifwatch' || counter.packets === 0) continue;
    drops[counter.name] = (drops[counter.name] ?? 0) + counter.packets;
  }
  return Object.fromEntries(Object.entries(drops).sort(([a], [b]) => (a < b ? -1 : 1)));
};
