/** The set elements that belong to net-vm itself and to no vif. */
import { addressElement } from './footprint.ts';
import type { Element } from './kernel-state.ts';
import type { Prefix } from './prefix.ts';

export const hostElements = ({
  uplinks,
  gateways,
  configured,
}: {
  readonly uplinks: readonly string[];
  readonly gateways: readonly Prefix[];
  readonly configured: readonly Prefix[];
}): readonly Element[] => [
  ...uplinks.map((name): Element => ({ set: 'uplink', parts: [name] })),
  ...gateways.flatMap(({ family, text }): Element[] =>
    family === 4 ? [{ set: 'gateway', parts: [text] }] : [],
  ),
  ...configured.map((prefix) => addressElement('configured', prefix)),
];
