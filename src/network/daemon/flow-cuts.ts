/** Cuts tracked flows that the configuration in force forbids. */

import type { Logger } from 'pino';
import type { Problem } from '../../errors.ts';
import { CommandError } from '../../system/command.ts';
import type { Config } from '../config/config.ts';
import type { Network } from '../kernel/network.ts';
import { judgeFlows } from '../policy/judge-flows.ts';
import type { VifKey } from '../vif/backend-vif.ts';
import { ownAddresses } from '../vif/held-addresses.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import { openFailedAttempts } from './failed-attempts.ts';
import type { ObservedState } from './observed-state.ts';
import type { Policies } from './policies.ts';
import { openUncutVifs, type UncutVifs } from './uncut-vifs.ts';

type Ports = {
  readonly config: Pick<Config, 'forwards' | 'masquerade' | 'gateways'>;
  readonly network: Pick<Network, 'cutFlows' | 'cutFlowsUnless'>;
  readonly policies: Pick<Policies, 'flowFacts'>;
  readonly observed: Pick<ObservedState, 'kernel'>;
  readonly log: Pick<Logger, 'warn'>;
};

type DueCuts = {
  readonly together: readonly ServedVif[];
  /** Vifs whose last cut failed: the next one may fail or hang too, so it must delay no other vif's cut. */
  readonly alone: readonly ServedVif[];
  /** The ms until the next attempt of a vif whose last cut failed; undefined if there is none. */
  readonly retryInMs: number | undefined;
};

export type FlowCuts = {
  /** The problem of a vif whose last cut failed. */
  readonly problemOf: (key: VifKey) => Problem | undefined;
  /** Records that the rules for these links have changed: flows that they forbid may still be tracked. */
  readonly expect: UncutVifs['expect'];
  /** Records that rules for all vifs have changed. */
  readonly expectAll: UncutVifs['expectAll'];
  /** The vifs whose flows must be judged now. */
  readonly due: (served: readonly ServedVif[]) => DueCuts;
  /**
   * Cuts the forbidden flows of the vifs with one run of conntrack. If that fails, they are due again, each
   * alone.
   */
  readonly cutTogether: (vifs: readonly ServedVif[], served: readonly ServedVif[]) => Promise<void>;
  /** Cuts the forbidden flows of the vif; if that fails, cuts all its flows, and checks that none is left. */
  readonly cutAlone: (vif: ServedVif, served: readonly ServedVif[]) => Promise<void>;
};

const problemFor = ({ message }: CommandError): Problem => ({
  code: 'FLOW_CUT_FAILED',
  text: `flows that the policy forbids may go on: ${message}`,
});

/** A cut of flows. */
type Cut = {
  readonly vifs: readonly ServedVif[];
  readonly served: readonly ServedVif[];
  /** Whether the vifs' flows have not been judged since the daemon's start. */
  readonly atStart: boolean;
};

const cutForbidden = (
  { vifs, served, atStart }: Cut,
  { config, network, policies, observed }: Ports,
): Promise<void> => {
  const isAllowed = judgeFlows({
    ...config,
    ...policies.flowFacts(atStart),
    served,
    own: ownAddresses({ kernel: observed.kernel(), gateways: config.gateways }),
  });
  const prefixes = vifs.flatMap((vif) => vif.prefixes);
  return network.cutFlowsUnless(prefixes, isAllowed);
};

/** Cuts the forbidden flows; if that fails, cuts all flows of the vif, and checks that none is left. */
const cutForbiddenOrAll = async (
  { key, prefixes }: ServedVif,
  cut: Cut,
  ports: Ports,
): Promise<void> => {
  const exactCut = (): Promise<void> => cutForbidden(cut, ports);
  try {
    await exactCut();
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause;
    await ports.network.cutFlows(prefixes.map(({ text }) => text));
    ports.log.warn(
      { vif: key, code: cause.code },
      `vif ${key}: cut all its flows, as conntrack could not cut only the forbidden ones: ${cause.message}`,
    );
    await exactCut();
  }
};

/** @param now milliseconds of a monotonic clock */
export const openFlowCuts = (ports: Ports, now: () => number): FlowCuts => {
  const uncut = openUncutVifs();
  const attempts = openFailedAttempts<VifKey, Problem>(now);

  const attempt = async (vifs: readonly ServedVif[], cut: () => Promise<void>): Promise<void> => {
    const links = vifs.map(({ link }) => link);
    uncut.begin(links);
    let hasSucceeded = false;
    try {
      await cut();
      hasSucceeded = true;
      for (const { key } of vifs) attempts.succeeded(key);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      for (const { key } of vifs) attempts.failed(key, problemFor(error));
    } finally {
      uncut.end(links, hasSucceeded);
    }
  };

  const cutOf = (vifs: readonly ServedVif[], served: readonly ServedVif[]): Cut => ({
    vifs,
    served,
    atStart: vifs.every(uncut.isUnjudged),
  });

  return {
    problemOf: attempts.failureOf,
    expect: uncut.expect,
    expectAll: uncut.expectAll,
    due: (served) => {
      uncut.review(served, ports.observed.kernel());
      attempts.keepOnly(new Set(served.map(({ key }) => key)));
      const due = served.filter(uncut.isDue);
      const hasFailed = ({ key }: ServedVif): boolean => attempts.failureOf(key) !== undefined;
      const sound = due.filter((vif) => !hasFailed(vif));
      const first = sound.filter(uncut.isUnjudged);
      return {
        together: first.length > 0 ? first : sound,
        alone: due.filter((vif) => hasFailed(vif) && attempts.mayTry(vif.key)),
        retryInMs: attempts.dueInMs(),
      };
    },
    cutTogether: (vifs, served) => attempt(vifs, () => cutForbidden(cutOf(vifs, served), ports)),
    cutAlone: (vif, served) =>
      attempt([vif], () => cutForbiddenOrAll(vif, cutOf([vif], served), ports)),
  };
};
