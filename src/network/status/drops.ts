/** Dropped packets by counter name, since the static rules were first loaded. */

export type Drops = Readonly<Record<string, number>>;

type Listed = { readonly counter?: { name: string; table: string; packets: number } };

/** Omits counters of other tables and counters at 0. @param listing output of `nft -j list counters` */
export const parseDrops = (listing: string): Drops => {
  const { nftables } = JSON.parse(listing) as { nftables: readonly Listed[] };
  const drops: Record<string, number> = {};
  for (const { counter } of nftables) {
    if (counter?.table !== 'vifwatch' || counter.packets === 0) continue;
    drops[counter.name] = (drops[counter.name] ?? 0) + counter.packets;
  }
  return Object.fromEntries(Object.entries(drops).sort(([a], [b]) => (a < b ? -1 : 1)));
};
