/**
 * The rules that let guests solicit the gateways' addresses. They are rules, as an nft set cannot match
 * payload bytes.
 */
import type { Prefix } from '../../address/prefix.ts';

/** An ND message has its target in bytes 8 to 23 (RFC 4861); four 32-bit comparisons cover it. */
const matchOf = ({ bytes }: Prefix): string =>
  [0, 4, 8, 12]
    .map((at) => `@th,${64 + 8 * at},32 0x${Buffer.from(bytes.slice(at, at + 4)).toString('hex')}`)
    .join(' ');

/** nft commands that fill the chain `gateway_target` of rules/vifwatch.nft. */
export const gatewayTargetLines = (gateways: readonly Prefix[]): readonly string[] => [
  'flush chain inet vifwatch gateway_target',
  ...gateways
    .filter(({ family }) => family === 6)
    .map(
      (gateway) => `add rule inet vifwatch gateway_target ${matchOf(gateway)} goto make_neighbour`,
    ),
];
