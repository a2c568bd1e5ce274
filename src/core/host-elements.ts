/** What the firewall holds for no vif in particular: the uplinks, and what is translated on them. */
import type { Element } from './kernel-state.ts';
import type { Prefix } from './prefix.ts';

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
};

export const hostElements = (
  uplinks: readonly string[],
  { masquerade, forwards }: UplinkOptions,
): readonly Element[] => [
  ...uplinks.map((name): Element => ({ set: 'uplink', parts: [name] })),
  ...(masquerade ? uplinks.map((name): Element => ({ set: 'masquerading', parts: [name] })) : []),
  ...forwards.flatMap(({ proto, port, to, toPort }): Element[] => [
    { set: 'forward_address', parts: [proto, `${port}`, to.text] },
    { set: 'forward_port', parts: [proto, `${port}`, `${toPort}`] },
  ]),
];
