/** Hardens links before they are set up, also links whose sysctls do not exist yet. */

import { messageOf, type Problem } from '../../errors.ts';
import type { Network } from '../kernel/network.ts';
import type { BringUp } from '../plan/desired.ts';
import { mtuLine, unchangedLine } from '../text/ip-batch.ts';

type Hardened = {
  readonly served: Pick<BringUp['served'], 'link' | 'hasIpv6'>;
  readonly mtu?: BringUp['mtu'];
};

type Ports = Pick<Network, 'hardenVif'> & {
  /** Runs a batch of ip; does not throw if ip fails. */
  readonly runBatch: (lines: readonly string[]) => Promise<unknown>;
};

/** Writes the sysctls of all links; returns the links that lack sysctls. */
const writeAll = <T extends Hardened>(
  openings: readonly T[],
  { hardenVif }: Ports,
  problems: Map<T, Problem>,
): readonly T[] =>
  openings.filter((opening) => {
    const { link, hasIpv6 } = opening.served;
    try {
      return !hardenVif(link, hasIpv6);
    } catch (error) {
      problems.set(opening, { code: 'LINK_FAILED', text: messageOf(error) });
      return false;
    }
  });

/**
 * A command that ends once the link has its sysctls. The kernel lists a new link before it makes the sysctls,
 * but it keeps its lock for links until they exist. A link whose MTU is too small for IPv6 has no sysctls for
 * IPv6 until it gets its new MTU.
 */
const completingLine = ({ served: { link }, mtu }: Hardened): string =>
  mtu === undefined ? unchangedLine(link) : mtuLine(link, mtu);

/** Writes the sysctls of all links; resolves with the links for which the kernel refused a value. */
export const harden = async <T extends Hardened>(
  openings: readonly T[],
  ports: Ports,
): Promise<ReadonlyMap<T, Problem>> => {
  const problems = new Map<T, Problem>();
  const incomplete = writeAll(openings, ports, problems);
  if (incomplete.length === 0) return problems;
  await ports.runBatch(incomplete.map(completingLine));
  // A link that still lacks sysctls has vanished, or keeps an MTU that is too small for IPv6.
  writeAll(incomplete, ports, problems);
  return problems;
};
