/** What the firewall holds for no vif in particular. */

import type { Prefix } from '../../address/prefix.ts';
import type { Element } from './kernel-state.ts';

/** A port of net-vm's own addresses on the uplinks that leads to a VM; IPv4, as whatever is translated. */
export type PortForward = {
  readonly proto: 'tcp' | 'udp';
  readonly port: number;
  readonly to: Prefix;
  readonly toPort: number;
};

export type UplinkOptions = {
  /** Whether VMs go out under net-vm's own IPv4 address. */
  readonly masquerade: boolean;
  readonly forwards: readonly PortForward[];
  /** Whether the MSS of VMs' TCP connections is lowered to what the path's MTU in net-vm allows. */
  readonly mssClamp: boolean;
};

export type HostFacts = UplinkOptions & {
  readonly uplinks: readonly string[];
  /** The guests' gateway addresses. */
  readonly gateways: readonly Prefix[];
  /** Of all VMs, on or off: no two overlap. */
  readonly networks: readonly Prefix[];
};

export const hostElements = (facts: HostFacts): readonly Element[] => [
  ...facts.uplinks.map((name): Element => ({ set: 'uplink', parts: [name] })),
  ...facts.gateways.flatMap(({ family, text }): Element[] =>
    family === 4 ? [{ set: 'gateway', parts: [text] }] : [],
  ),
  ...facts.networks.map(
    ({ family, text }): Element => ({ set: `vm_network${family}`, parts: [text] }),
  ),
  ...(facts.mssClamp
    ? facts.uplinks.map((name): Element => ({ set: 'mss_clamp', parts: [name] }))
    : []),
  ...(facts.masquerade
    ? facts.uplinks.map((name): Element => ({ set: 'masquerading', parts: [name] }))
    : []),
  ...facts.forwards.flatMap(({ proto, port, to, toPort }): Element[] => [
    { set: 'forward_address', parts: [proto, `${port}`, to.text] },
    { set: 'forward_port', parts: [proto, `${port}`, `${toPort}`] },
  ]),
];
