/** The sizes of the kernel's tables at which each vif can have its share, and net-vm what it had before. */
import { ratesOf, type Shares } from '../state/shares.ts';

export type KernelSizes = {
  /** By path under /proc/sys/net: the smallest value that is enough. */
  readonly atLeast: Readonly<Record<string, number>>;
  /** By path under /proc/sys/net: the value. */
  readonly exactly: Readonly<Record<string, number>>;
};

/** Seconds for which the kernel keeps an incomplete datagram; the default is 30 or 60. */
const reassemblyS = 2;
/** Seconds for which the kernel tracks a closed TCP connection, which no longer counts as open; default 120. */
const closedS = 10;
/** Bytes that the kernel charges for one fragment: netback's page with the socket buffer before it. */
const fragmentBytes = 5_120;
/** Seconds after which the kernel may remove a neighbour entry that nobody uses (neigh_forced_gc). */
const neighbourS = 5;
/** Seconds for which a next hop is known, and may get its entry again (the sets next_hop* of rules/vifwatch.nft). */
const knownHopS = 30;
/** Flows in one bucket of the kernel's hash table; each flow is in two. */
const flowsPerBucket = 4;
/** The most of the memory that the fragments of all vifs may take, and their flows as well. */
const memoryShare = 1 / 8;
/** Bytes that the kernel needs for one tracked flow. */
const flowBytes = 384;

/** The part that stays for net-vm itself: the kernel's defaults, and as many flows as a small host tracks. */
const own = {
  flows: 65_536,
  fragmentBytes: 4_194_304,
  neighbours: 1_024,
  errors: 1_000,
  burst: 50,
};

const taken = ({ perSecond, burst }: { perSecond: number; burst: number }, seconds: number) =>
  burst + perSecond * seconds;

/**
 * @param vifs the number of vifs that net-vm serves
 * @param memoryBytes net-vm's memory
 */
export const kernelSizes = (vifs: number, shares: Shares, memoryBytes: number): KernelSizes => {
  const { newFlows, fragments, neighbours, nextHops, icmpErrors } = ratesOf(shares);
  const atMost = Math.floor(memoryBytes * memoryShare);
  const flows = own.flows + vifs * 2 * (shares.flows + taken(newFlows, closedS));
  const tracked = Math.min(flows, Math.floor(atMost / flowBytes));
  const bytes = own.fragmentBytes + vifs * taken(fragments, reassemblyS) * fragmentBytes;
  const fragmentMemory = Math.max(own.fragmentBytes, Math.min(bytes, atMost));
  const entries =
    own.neighbours +
    vifs * (taken(neighbours, neighbourS) + taken(nextHops, knownHopS + neighbourS));
  return {
    atLeast: {
      'netfilter/nf_conntrack_buckets': Math.ceil(tracked / flowsPerBucket),
      'netfilter/nf_conntrack_max': tracked,
      'ipv4/ipfrag_high_thresh': fragmentMemory,
      'ipv6/ip6frag_high_thresh': fragmentMemory,
      'netfilter/nf_conntrack_frag6_high_thresh': fragmentMemory,
      'ipv4/neigh/default/gc_thresh3': entries,
      'ipv6/neigh/default/gc_thresh3': entries,
      'ipv4/icmp_msgs_per_sec': own.errors + vifs * icmpErrors.perSecond,
      'ipv4/icmp_msgs_burst': own.burst + vifs * icmpErrors.burst,
    },
    exactly: {
      'ipv4/ipfrag_time': reassemblyS,
      'ipv6/ip6frag_time': reassemblyS,
      'netfilter/nf_conntrack_frag6_timeout': reassemblyS,
      'netfilter/nf_conntrack_tcp_timeout_time_wait': closedS,
    },
  };
};
