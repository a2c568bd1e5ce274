/** The packets that the kernel has dropped and counted. */

/** Dropped packets by counter name, since the static rules were first loaded. */
export type Drops = Readonly<Record<string, number>>;

export type Counts = {
  readonly drops: Drops;
  /** By link: the dropped packets that were more than its share, until a day without such packets. */
  readonly refused: ReadonlyMap<string, number>;
};

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

type ListedRefusals = {
  readonly set?: {
    readonly elem?: readonly {
      readonly elem: { readonly val: string; readonly counter: { readonly packets: number } };
    }[];
  };
};

/** @param listings outputs of `nft -j list set … refused`, one for each family */
export const parseRefused = (listings: readonly string[]): ReadonlyMap<string, number> => {
  const refused = new Map<string, number>();
  for (const listing of listings) {
    const { nftables } = JSON.parse(listing) as { nftables: readonly ListedRefusals[] };
    for (const { elem } of nftables.flatMap(({ set }) => set?.elem ?? [])) {
      refused.set(elem.val, (refused.get(elem.val) ?? 0) + elem.counter.packets);
    }
  }
  return refused;
};
