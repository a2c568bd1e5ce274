/** The rules by which neighbour discovery may ask for the gateways: sets of nft cannot hold bytes of a payload. */
import type { Prefix } from '../../address/prefix.ts';

/** An ND message has its target in bytes 8 to 24, which are compared by 32 bits. */
const matchOf = ({ bytes }: Prefix): string =>
  [0, 4, 8, 12]
    .map((at) => `@th,${64 + 8 * at},32 0x${Buffer.from(bytes.slice(at, at + 4)).toString('hex')}`)
    .join(' ');

/** Lines of nft that fill the chain `gateway_target` of rules/vifwatch.nft. */
export const gatewayTargetLines = (gateways: readonly Prefix[]): readonly string[] => [
  'flush chain inet vifwatch gateway_target',
  ...gateways
    .filter(({ family }) => family === 6)
    .map((gateway) => `add rule inet vifwatch gateway_target ${matchOf(gateway)} accept`),
];
