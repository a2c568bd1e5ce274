/** Checks whether a policy still allows a tracked flow. */

import { contains, parsePrefix } from '../../address/prefix.ts';
import {
  isActive,
  type NetworkPolicy,
  type NetworkRule,
  type PortRange,
  type Service,
} from './policy.ts';

/** A flow's first packet, as the policy chains saw it: with the translated destination. */
export type FirstPacket = {
  /** The number of the IP protocol. */
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  /** The destination port, if the protocol has ports. */
  readonly port: number | undefined;
  readonly icmpType: number | undefined;
};

export type FlowFacts = {
  /** Seconds since the epoch. */
  readonly nowS: number;
  /** The name of the VM with this address; null for a VM without a name, undefined if no VM has it. */
  readonly vmOf: (address: string) => string | null | undefined;
  /**
   * For accept rules: all addresses that a DNS name has had, since a flow does not end because the name's
   * addresses change. Undefined if the daemon cannot know any: then the rule matches the flow.
   */
  readonly everOf: (host: string) => Pick<ReadonlySet<string>, 'has'> | undefined;
  /** For drop rules: the addresses that the chains drop now; undefined, and without a match, if there is none. */
  readonly addressesOf: (host: string) => readonly string[] | undefined;
};

const isPeer = (address: string, { peer, action }: NetworkRule, facts: FlowFacts): boolean => {
  switch (peer.kind) {
    case 'anyone':
      return true;
    case 'uplink':
      return facts.vmOf(address) === undefined;
    case 'vms':
      return peer.names.includes(facts.vmOf(address) ?? '');
    case 'host':
      return action === 'accept'
        ? (facts.everOf(peer.name)?.has(address) ?? true)
        : (facts.addressesOf(peer.name)?.includes(address) ?? false);
    case 'networks': {
      const prefix = parsePrefix(address);
      return !('problem' in prefix) && peer.prefixes.some((range) => contains(range, prefix));
    }
  }
};

/** The numbers that IANA has assigned to the IP protocols. */
const protocols = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

const isService = ({ protocol, port, icmpType }: FirstPacket, service: Service): boolean => {
  if (service.kind === 'any') return true;
  if (protocol !== protocols[service.kind]) return false;
  switch (service.kind) {
    case 'icmp':
    case 'icmpv6':
      return service.type === undefined || service.type === icmpType;
    default: {
      const inRange = ({ from, to }: PortRange): boolean =>
        port !== undefined && from <= port && port <= to;
      return service.ports.length === 0 || service.ports.some(inRange);
    }
  }
};

/**
 * Whether the policy accepts a flow that begins with this packet. Rate limits are ignored.
 * @param direction as the policy's VM sees the flow
 */
export const allows = (
  policy: NetworkPolicy,
  direction: NetworkRule['direction'],
  packet: FirstPacket,
  facts: FlowFacts,
): boolean => {
  const address = direction === 'out' ? packet.destination : packet.source;
  const rule = policy.rules.find(
    (candidate) =>
      candidate.direction === direction &&
      isActive(candidate, facts.nowS) &&
      isService(packet, candidate.service) &&
      isPeer(address, candidate, facts),
  );
  return rule?.action === 'accept';
};
