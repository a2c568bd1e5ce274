/** Checks whether net-vm would accept a tracked flow if it began now. */

import { parsePrefix } from '../../address/prefix.ts';
import type { UplinkOptions } from '../state/host-elements.ts';
import { type AddressHolders, addHolder, holderOf, noHolders } from '../vif/address-holders.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import type { Flow } from './flow.ts';
import { allows, type FirstPacket, type FlowFacts } from './flow-verdict.ts';

export type JudgeFacts = Pick<UplinkOptions, 'forwards' | 'masquerade'> &
  Omit<FlowFacts, 'vmOf'> & {
    readonly served: readonly ServedVif[];
    /** net-vm's own addresses. */
    readonly own: AddressHolders<unknown>;
  };

/** A hash finds hosts by the text, which is canonical; only networks need the parsed address. */
const findIn = <T>(holders: AddressHolders<T>, address: string): T | undefined => {
  const host = holders.hosts.get(address);
  if (host !== undefined || holders.networks.length === 0) return host?.holder;
  const prefix = parsePrefix(address);
  return 'problem' in prefix ? undefined : holderOf(holders, prefix);
};

const firstPacketOf = ({ protocol, original, reply }: Flow): FirstPacket => ({
  protocol,
  source: original.source,
  destination: reply.source,
  port: reply.ports?.source,
  icmpType: original.icmp?.type,
});

const isTranslated = ({ original, reply }: Flow): boolean =>
  reply.source !== original.destination || reply.ports?.source !== original.ports?.destination;

const protocolNumbers = { tcp: 6, udp: 17 } as const;

/**
 * Returns a function that tells whether the rules would accept a flow's first packet now. Policies do not
 * concern flows with net-vm itself. A flow from outside with a translated destination must match a [[forward]].
 */
export const judgeFlows = (facts: JudgeFacts): ((flow: Flow) => boolean) => {
  const { served, forwards, masquerade, own } = facts;
  const vifs = noHolders<ServedVif>();
  for (const vif of served) for (const prefix of vif.prefixes) addHolder(vifs, prefix, vif);
  const vmOf = (address: string): string | null | undefined => {
    const vif = findIn(vifs, address);
    return vif && (vif.name ?? null);
  };
  const flowFacts: FlowFacts = { ...facts, vmOf };

  const isForwarded = ({ protocol, original, reply }: Flow): boolean =>
    forwards.some(
      ({ proto, port, to, toPort }) =>
        protocol === protocolNumbers[proto] &&
        original.ports?.destination === port &&
        reply.source === to.text &&
        reply.ports?.source === toPort,
    );

  /** Whether a VM's flow to the outside leaves with net-vm's address, if it must. */
  const isHidden = ({ family, original, reply }: Flow): boolean =>
    !masquerade || family === 6 || reply.destination !== original.source;

  return (flow) => {
    const packet = firstPacketOf(flow);
    const isOurs = [packet.source, packet.destination].some(
      (address) => findIn(own, address) !== undefined,
    );
    if (isOurs) return true;
    const from = findIn(vifs, packet.source)?.policy.source;
    const to = findIn(vifs, packet.destination)?.policy.source;
    if (from === undefined && isTranslated(flow)) return isForwarded(flow);
    const mayCome = to === undefined || allows(to, 'in', packet, flowFacts);
    if (from === undefined || !mayCome) return mayCome;
    return allows(from, 'out', packet, flowFacts) && (to !== undefined || isHidden(flow));
  };
};
