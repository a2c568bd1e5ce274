/** What a VM may send and receive: ordered rules, the first that matches decides, and what none matches is dropped. */
import type { Prefix } from '../../address/prefix.ts';

/** The other end of a flow. */
export type NetworkPeer =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'networks'; readonly prefixes: readonly Prefix[] }
  /** Whoever is not a VM behind net-vm. */
  | { readonly kind: 'uplink' }
  /** By name in /ipc/domain-map. */
  | { readonly kind: 'vms'; readonly names: readonly string[] }
  /** By DNS name. */
  | { readonly kind: 'host'; readonly name: string };

/** Both ends included. */
export type PortRange = { readonly from: number; readonly to: number };

export type Service =
  | { readonly kind: 'any' }
  /** No ports means every port. */
  | { readonly kind: 'tcp' | 'udp'; readonly ports: readonly PortRange[] }
  | { readonly kind: 'icmp' | 'icmpv6'; readonly type: number | undefined };

export type Rate = { readonly count: number; readonly per: 'second' | 'minute' | 'hour' };

export type NetworkRule = {
  readonly action: 'accept' | 'drop';
  readonly direction: 'out' | 'in';
  readonly peer: NetworkPeer;
  readonly service: Service;
  /** New flows beyond it do not match. */
  readonly limit: Rate | undefined;
  readonly log: boolean;
  /** Seconds since the epoch; from then on the rule is as if it were not there. */
  readonly expire: number | undefined;
  readonly comment: string;
};

export type NetworkPolicy = {
  /** The VM's name or address, or the name of a profile: what is called by it stands in chain names and the log. */
  readonly key: string;
  readonly rules: readonly NetworkRule[];
};

export const isActive = ({ expire }: NetworkRule, nowS: number): boolean =>
  expire === undefined || nowS < expire;

/** When the next rule expires, in seconds since the epoch. */
export const nextExpiry = (policies: Iterable<NetworkPolicy>, nowS: number): number | undefined => {
  let next: number | undefined;
  for (const { rules } of policies) {
    for (const { expire } of rules) {
      if (expire !== undefined && expire > nowS && expire < (next ?? Infinity)) next = expire;
    }
  }
  return next;
};

/** The DNS names in a policy. */
export const hostsOf = ({ rules }: NetworkPolicy): string[] =>
  rules.flatMap(({ peer }) => (peer.kind === 'host' ? [peer.name] : []));
