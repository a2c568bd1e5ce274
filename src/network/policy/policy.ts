/**
 * A VM's policy: an ordered list of rules. The first matching rule decides; packets without a matching rule
 * are dropped.
 */
import type { Prefix } from '../../address/prefix.ts';

/** The other end of a flow. */
export type NetworkPeer =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'networks'; readonly prefixes: readonly Prefix[] }
  /** Everything except the VMs behind net-vm. */
  | { readonly kind: 'uplink' }
  /** VMs by their names in /ipc/domain-map. */
  | { readonly kind: 'vms'; readonly names: readonly string[] }
  /** A host by its DNS name. */
  | { readonly kind: 'host'; readonly name: string };

/** Includes both ends. */
export type PortRange = { readonly from: number; readonly to: number };

export type Service =
  | { readonly kind: 'any' }
  /** An empty list means all ports. */
  | { readonly kind: 'tcp' | 'udp'; readonly ports: readonly PortRange[] }
  | { readonly kind: 'icmp' | 'icmpv6'; readonly type: number | undefined };

export type Rate = { readonly count: number; readonly per: 'second' | 'minute' | 'hour' };

export type NetworkRule = {
  readonly action: 'accept' | 'drop';
  readonly direction: 'out' | 'in';
  readonly peer: NetworkPeer;
  readonly service: Service;
  /** New flows beyond this rate do not match the rule. */
  readonly limit: Rate | undefined;
  readonly log: boolean;
  /** Seconds since the epoch; from then on the rule is ignored. */
  readonly expire: number | undefined;
  readonly comment: string;
};

export type NetworkPolicy = {
  /** The VM's name or address, or the profile's name; it appears in chain names and log prefixes. */
  readonly key: string;
  readonly rules: readonly NetworkRule[];
};

/** Whether the rule has not expired. @param nowS seconds since the epoch */
export const isActive = ({ expire }: NetworkRule, nowS: number): boolean =>
  expire === undefined || nowS < expire;

/** The time when the next rule expires, in seconds since the epoch; undefined if no rule will. */
export const nextExpiry = (policies: Iterable<NetworkPolicy>, nowS: number): number | undefined => {
  let next: number | undefined;
  for (const { rules } of policies) {
    for (const { expire } of rules) {
      if (expire !== undefined && expire > nowS && expire < (next ?? Infinity)) next = expire;
    }
  }
  return next;
};

/** The DNS names in a policy's rules. */
export const hostsOf = ({ rules }: NetworkPolicy): string[] =>
  rules.flatMap(({ peer }) => (peer.kind === 'host' ? [peer.name] : []));
