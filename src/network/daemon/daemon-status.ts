/** The daemon's status, from what its parts know now. */

import { version } from '../../package.ts';
import { systemClock } from '../../system/clock.ts';
import { within } from '../../system/deadline.ts';
import type { Config } from '../config/config.ts';
import type { Network } from '../kernel/network.ts';
import type { Counts } from '../status/drops.ts';
import { type Status, statusOf } from '../status/status.ts';
import type { KernelSizeKeeper } from './kernel-size-keeper.ts';
import type { ObservedState } from './observed-state.ts';
import type { Passes } from './pass.ts';
import type { Repair } from './repair.ts';
import type { StaticRulesetGuard } from './static-ruleset-guard.ts';
import type { VifHistory } from './vif-history.ts';
import type { Workers } from './workers.ts';

type Parts = {
  readonly config: Pick<Config, 'gateways'>;
  readonly network: Pick<Network, 'settingsProblem'> & {
    readonly nft: Pick<Network['nft'], 'counts'>;
  };
  readonly observed: Pick<ObservedState, 'names' | 'kernel'>;
  readonly guard: Pick<StaticRulesetGuard, 'problemText' | 'isPanic'>;
  readonly kernelSizes: Pick<KernelSizeKeeper, 'notices'>;
  readonly workers: Pick<Workers, 'lastCommandError'>;
  readonly repair: Pick<Repair, 'problemText'>;
  readonly passes: Pick<Passes, 'decisions' | 'problemOf'>;
  readonly vifHistory: Pick<VifHistory, 'entryOf'>;
};

/** The longest wait for nft's counters: if nft hangs, the status must be sent all the same. */
const countsMs = 500;

/** Returns a function that gives the status now. The daemon counts as running since this call. */
export const openDaemonStatus = (parts: Parts): (() => Promise<Status>) => {
  const { config, network, observed, guard, workers, repair, passes, vifHistory } = parts;
  const { kernelSizes } = parts;
  const since = new Date().toISOString();
  const ipv6Problem = (): string | undefined => {
    const gateway = config.gateways.find(({ family }) => family === 6);
    return gateway !== undefined && observed.kernel().isIpv6Off
      ? `net-vm has no IPv6, so the gateway ${gateway.text} is missing, and vifs have only IPv4; run: sysctl -w net.ipv6.conf.all.disable_ipv6=0`
      : undefined;
  };
  const trouble = (): string | null =>
    guard.problemText() ??
    workers.lastCommandError()?.message ??
    repair.problemText() ??
    network.settingsProblem() ??
    ipv6Problem() ??
    null;
  const counts = (): Promise<Counts | null> =>
    within(systemClock, countsMs, network.nft.counts(), () => null).catch(() => null);
  return async () =>
    statusOf({
      daemon: {
        pid: process.pid,
        since,
        version,
        trouble: trouble(),
        notices: kernelSizes.notices(),
      },
      panic: guard.isPanic(),
      decisions: passes.decisions(),
      historyOf: (decision) => vifHistory.entryOf(decision, passes.problemOf(decision)),
      names: observed.names(),
      kernel: observed.kernel(),
      gateways: config.gateways.map(({ text }) => text),
      counts: await counts(),
    });
};
