/** Checks whether a policy still allows a tracked flow. */

import { contains, parsePrefix } from '../../address/prefix.ts';
import type { Flow } from './flow.ts';
import {
  isActive,
  type NetworkPolicy,
  type NetworkRule,
  type PortRange,
  type Service,
} from './policy.ts';

export type FlowFacts = {
  /** Seconds since the epoch. */
  readonly nowS: number;
  /** The name of the VM with this address; null for a VM without a name, undefined if no VM has it. */
  readonly vmOf: (address: string) => string | null | undefined;
  /**
   * All addresses that a DNS name has had: a flow does not end because the name's addresses change. Undefined
   * if the name was never resolved: then an accept rule matches the flow and a drop rule does not.
   */
  readonly everOf: (host: string) => ReadonlySet<string> | undefined;
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
      return facts.everOf(peer.name)?.has(address) ?? action === 'accept';
    case 'networks': {
      const prefix = parsePrefix(address);
      return !('problem' in prefix) && peer.prefixes.some((range) => contains(range, prefix));
    }
  }
};

const isService = ({ protocol, ports, icmp }: Flow, service: Service): boolean => {
  switch (service.kind) {
    case 'any':
      return true;
    case 'icmp':
    case 'icmpv6':
      return (
        protocol === service.kind && (service.type === undefined || service.type === icmp?.type)
      );
    default: {
      const port = ports?.destination;
      const inRange = ({ from, to }: PortRange): boolean =>
        port !== undefined && from <= port && port <= to;
      return (
        protocol === service.kind && (service.ports.length === 0 || service.ports.some(inRange))
      );
    }
  }
};

/**
 * Whether the policy allows the flow. Rate limits are ignored.
 * @param direction as the policy's VM sees the flow
 */
export const allows = (
  policy: NetworkPolicy,
  direction: NetworkRule['direction'],
  flow: Flow,
  facts: FlowFacts,
): boolean => {
  const address = direction === 'out' ? flow.destination : flow.source;
  const rule = policy.rules.find(
    (candidate) =>
      candidate.direction === direction &&
      isActive(candidate, facts.nowS) &&
      isPeer(address, candidate, facts) &&
      isService(flow, candidate.service),
  );
  return rule?.action === 'accept';
};
