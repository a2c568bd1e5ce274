/** What lines of `ip monitor` and `nft monitor` tell; the truth itself is for the next observation to see. */
import { isVifName } from '../state/kernel-state.ts';

export type NeighbourNews = {
  readonly address: string;
  readonly link: string;
  /** Which no guest can make it. */
  readonly isPermanent: boolean;
};

/** The entry that a line of `ip monitor neigh` is about, if its link may be a vif. */
export const neighbourOf = (line: string): NeighbourNews | undefined => {
  const [, address, link] = /^(?:Deleted )?(\S+) dev (\S+) /.exec(line) ?? [];
  if (address === undefined || link === undefined || !isVifName(link)) return undefined;
  return { address, link, isPermanent: / PERMANENT\b/.test(line) };
};

/** The process whose transaction a line of `nft monitor` ends, if it does. */
export const generationBy = (line: string): number | undefined => {
  const [, pid] = /^# new generation \d+ by process (\d+)/.exec(line) ?? [];
  return pid === undefined ? undefined : Number(pid);
};

/** Whether a line of `nft monitor` tells of a table of somebody else's. */
export const isForeign = (line: string): boolean => {
  const pattern =
    /^(?:add|insert|replace|delete) (?:ct )?\S+ (?:ip6?|inet|arp|bridge|netdev) (\S+)/;
  const [, table] = pattern.exec(line) ?? [];
  return table !== undefined && !table.startsWith('vifwatch');
};
