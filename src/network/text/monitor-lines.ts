/**
 * Parses lines of `ip monitor` and `nft monitor`. They are only hints: the next observation reads the real
 * state.
 */
import { type LinkName, reportedLinkName } from '../../address/link-name.ts';
import { isVifName } from '../state/kernel-state.ts';

export type NeighbourNews = {
  readonly address: string;
  readonly link: LinkName;
  /** A guest cannot make an entry permanent. */
  readonly isPermanent: boolean;
};

/** The neighbour entry in a line of `ip monitor neigh`; undefined if its link is not a vif. */
export const neighbourOf = (line: string): NeighbourNews | undefined => {
  const [, address, link] = /^(?:Deleted )?(\S+) dev (\S+) /.exec(line) ?? [];
  if (address === undefined || link === undefined || !isVifName(link)) return undefined;
  return { address, link: reportedLinkName(link), isPermanent: / PERMANENT\b/.test(line) };
};

/** The pid in a line of `nft monitor` that ends a transaction; undefined for other lines. */
export const generationBy = (line: string): number | undefined => {
  const [, pid] = /^# new generation \d+ by process (\d+)/.exec(line) ?? [];
  return pid === undefined ? undefined : Number(pid);
};

/** Whether a line of `nft monitor` reports a change to another program's table. */
export const isForeign = (line: string): boolean => {
  const pattern =
    /^(?:add|insert|replace|delete) (?:ct )?\S+ (?:ip6?|inet|arp|bridge|netdev) (\S+)/;
  const [, table] = pattern.exec(line) ?? [];
  return table !== undefined && !table.startsWith('vifwatch');
};
