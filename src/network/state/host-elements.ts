/** The set elements that belong to no particular vif. */

import type { LinkName } from '../../address/link-name.ts';
import type { Prefix } from '../../address/prefix.ts';
import type { Element } from './element.ts';

/** Forwards a port of net-vm's own addresses on the uplinks to a VM; IPv4 only. */
export type PortForward = {
  readonly proto: 'tcp' | 'udp';
  readonly port: number;
  readonly to: Prefix;
  readonly toPort: number;
};

export type UplinkOptions = {
  /** Whether VMs' IPv4 packets leave with net-vm's own address. */
  readonly masquerade: boolean;
  readonly forwards: readonly PortForward[];
  /** Whether vifwatch lowers the MSS of VMs' TCP connections to fit the MTU of net-vm's route. */
  readonly mssClamp: boolean;
};

type HostFacts = UplinkOptions & {
  readonly uplinks: readonly LinkName[];
  /** The guests' gateway addresses. */
  readonly gateways: readonly Prefix[];
  /** The networks of all VMs, running or not; they do not overlap. */
  readonly networks: readonly Prefix[];
};

/** The elements that the facts require, in no particular order. */
export const hostElements = (facts: HostFacts): readonly Element[] => [
  ...facts.uplinks.map((link): Element => ({ set: 'uplink', link })),
  ...facts.gateways.flatMap(({ family, text }): Element[] =>
    family === 4 ? [{ set: 'gateway', address: text }] : [],
  ),
  ...facts.networks.map(
    ({ family, text }): Element => ({ set: `vm_network${family}`, prefix: text }),
  ),
  ...(facts.mssClamp ? facts.uplinks.map((link): Element => ({ set: 'mss_clamp', link })) : []),
  ...(facts.masquerade
    ? facts.uplinks.map((link): Element => ({ set: 'masquerading', link }))
    : []),
  ...facts.forwards.flatMap(({ proto, port, to, toPort }): Element[] => [
    { set: 'forward_address', proto, port, address: to.text },
    { set: 'forward_port', proto, port, toPort },
  ]),
];
