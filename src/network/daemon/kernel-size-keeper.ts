/** Keeps the kernel's tables large enough for all vifs. */
import { totalmem } from 'node:os';
import type { Logger } from 'pino';
import { pluralize } from '../../text/pluralize.ts';
import type { Config } from '../config/config.ts';
import type { Network } from '../kernel/network.ts';
import { kernelSizes } from '../plan/kernel-sizes.ts';

/** The kernel does not report that somebody changed a size. A look reads a dozen files, in a fifth of a millisecond. */
const lookMs = 10_000;

type Parts = {
  readonly network: Pick<Network, 'setKernelSizes'>;
  readonly config: Pick<Config, 'shares'>;
  readonly log: Logger;
};

export type KernelSizeKeeper = {
  /** Sets the sizes if more vifs are served than before, or if the last look is 10 s old. */
  readonly keep: (vifs: number) => void;
  /** The sizes that the kernel does not let the daemon set, if they are too small for the vifs of now. */
  readonly notices: () => readonly string[];
};

export const openKernelSizeKeeper = (
  { network, config: { shares }, log }: Parts,
  now: () => number,
): KernelSizeKeeper => {
  let sized = { vifs: -1, at: Number.NEGATIVE_INFINITY };
  let notices: readonly string[] = [];
  const warned = new Set<string>();
  return {
    keep: (vifs) => {
      if (vifs <= sized.vifs && now() - sized.at < lookMs) return;
      sized = { vifs, at: now() };
      const unmet = network.setKernelSizes(kernelSizes(vifs, shares, totalmem()));
      notices = unmet.map(
        ({ setting, value, wanted }) =>
          `${setting} is ${value}, but the shares of ${pluralize(vifs, 'vif')} need ${wanted}: net-vm's kernel refuses the change`,
      );
      for (const [index, { setting }] of unmet.entries()) {
        if (warned.has(setting)) continue;
        warned.add(setting);
        log.warn(notices[index]);
      }
    },
    notices: () => notices,
  };
};
