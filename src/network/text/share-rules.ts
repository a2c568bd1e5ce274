/** The rules that limit each vif to its share. */
import { ratesOf, type ShareRate, type Shares } from '../state/shares.ts';

const over = ({ perSecond, burst }: ShareRate): string =>
  `limit rate over ${perSecond}/second burst ${burst} packets`;

/** A fragment of a usual link; a guest may send one of 64 KiB. */
const fragmentBytes = 1_500;

const overBytes = ({ perSecond, burst }: ShareRate): string =>
  `limit rate over ${perSecond * fragmentBytes} bytes/second burst ${burst * fragmentBytes} bytes`;

const add = (chain: string, rule: string): string => `add rule ${chain} ${rule}`;

/** An element is made by the first packet of a link, and counts for this link alone. */
const limit = (
  set: string,
  statement: string,
  counter: string,
  link: 'iifname' | 'oifname',
): string =>
  `update @${set} { ${link} ${statement} } counter name "${counter}" goto ${refusal[link]}`;

const refusal = { iifname: 'refuse', oifname: 'refuse_to' } as const;

/** The rate stands first: to count the open flows of a vif, the kernel walks all of them. */
const flowLines = (direction: '' | '_in', link: 'iifname' | 'oifname', shares: Shares) => {
  const chain = `inet vifwatch share_new_flow${direction}`;
  const count = `add @open_flow${direction} { ${link} ${openFlowLimit(shares)}`;
  return [
    add(
      chain,
      limit(`new_flow${direction}`, over(ratesOf(shares).newFlows), 'new_flow_share', link),
    ),
    add(chain, `${count} counter name "flow_share" goto ${refusal[link]}`),
  ];
};

/** The sets whose elements hold a limit of flows. */
export const openFlowSets = ['open_flow', 'open_flow_in'] as const;

/** The sets whose elements hold a rate. */
const rateSets = [
  'new_flow',
  'new_flow_in',
  'new_next_hop',
  'fragment',
  'fragment_bytes',
  'neighbour',
  'icmp_error',
  'icmp_error_to',
] as const;

/** nft commands that make the kernel forget the elements of these sets, which keep the limits that they began with. */
export const flushLines = (sets: readonly string[], family: 'inet' | 'arp' = 'inet') =>
  sets.map((set) => `flush set ${family} vifwatch ${set}`);

/** How a rule of `share_new_flow` states the limit; nft lists it in the same words. */
export const openFlowLimit = ({ flows }: Shares): string => `ct count over ${flows} }`;

/** nft commands that fill the chains `share_*` of rules/vifwatch.nft, which flushes them. */
export const shareLines = (shares: Shares): readonly string[] => {
  const { neighbours, nextHops, fragments, icmpErrors } = ratesOf(shares);
  const inet = (chain: string, rule: string) => add(`inet vifwatch ${chain}`, rule);
  return [
    ...flushLines(rateSets),
    ...flushLines(['neighbour'], 'arp'),
    ...flowLines('', 'iifname', shares),
    ...flowLines('_in', 'oifname', shares),
    inet('share_next_hop', limit('new_next_hop', over(nextHops), 'next_hop_share', 'iifname')),
    inet('share_fragment', limit('fragment', over(fragments), 'fragment_share', 'iifname')),
    inet(
      'share_fragment',
      limit('fragment_bytes', overBytes(fragments), 'fragment_share', 'iifname'),
    ),
    inet('share_neighbour', limit('neighbour', over(neighbours), 'neighbour_share', 'iifname')),
    inet('share_icmp_error', limit('icmp_error', over(icmpErrors), 'icmp_error_share', 'iifname')),
    inet(
      'share_icmp_error_to',
      limit('icmp_error_to', over(icmpErrors), 'icmp_error_share', 'oifname'),
    ),
    add(
      'arp vifwatch share_neighbour',
      limit('neighbour', over(neighbours), 'arp_share', 'iifname'),
    ),
  ];
};
