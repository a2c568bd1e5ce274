/** Cuts tracked flows that the configuration in force forbids. */

import type { Logger } from 'pino';
import type { LinkName } from '../../address/link-name.ts';
import { isHost } from '../../address/prefix.ts';
import type { Problem } from '../../errors.ts';
import { CommandError } from '../../system/command.ts';
import type { Config } from '../config/config.ts';
import type { Network } from '../kernel/network.ts';
import { judgeFlows } from '../policy/judge-flows.ts';
import { keyOfElement } from '../state/element.ts';
import type { KernelState } from '../state/kernel-state.ts';
import type { VifKey } from '../vif/backend-vif.ts';
import { ownAddresses } from '../vif/held-addresses.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import { openFailedAttempts } from './failed-attempts.ts';
import type { ObservedState } from './observed-state.ts';
import type { Policies } from './policies.ts';

type Ports = {
  readonly config: Pick<Config, 'forwards' | 'masquerade' | 'gateways'>;
  readonly network: Pick<Network, 'cutFlows' | 'cutFlowsUnless'>;
  readonly policies: Pick<Policies, 'flowFacts'>;
  readonly observed: Pick<ObservedState, 'names' | 'kernel'>;
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
  readonly expect: (links: Iterable<LinkName>) => void;
  /** Records that rules for all vifs have changed. */
  readonly expectAll: () => void;
  /**
   * The vifs whose flows must be judged now. Forgets the vifs that are not served any more, and expects cuts for
   * those that were not served before: at the first call for all, since an earlier daemon may have ended before
   * its cut, or had another configuration; later for those whose addresses the firewall holds already, since
   * other rules let the flows of these addresses in.
   */
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

const cutForbidden = (
  vifs: readonly ServedVif[],
  served: readonly ServedVif[],
  { config, network, policies, observed }: Ports,
): Promise<void> => {
  const isAllowed = judgeFlows({
    ...config,
    ...policies.flowFacts(),
    served,
    names: observed.names(),
    own: ownAddresses({ kernel: observed.kernel(), gateways: config.gateways }),
  });
  const prefixes = vifs.flatMap((vif) => vif.prefixes);
  return network.cutFlowsUnless(prefixes, isAllowed);
};

/** Cuts the forbidden flows of a vif; if that fails, cuts all its flows, and checks that none is left. */
const cutForbiddenOrAll = async (
  vif: ServedVif,
  served: readonly ServedVif[],
  ports: Ports,
): Promise<void> => {
  const exactCut = (): Promise<void> => cutForbidden([vif], served, ports);
  try {
    await exactCut();
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause;
    await ports.network.cutFlows(vif.prefixes.map(({ text }) => text));
    const { key } = vif;
    ports.log.warn(
      { vif: key, code: cause.code },
      `vif ${key}: cut all its flows, as conntrack could not cut only the forbidden ones: ${cause.message}`,
    );
    await exactCut();
  }
};

/** Whether the firewall may have an address of the vif; flows of addresses that it lost were cut. */
const isHeld = ({ prefixes }: ServedVif, { elements }: KernelState): boolean =>
  prefixes.some(
    (prefix) =>
      !isHost(prefix) ||
      elements.has(keyOfElement({ set: `live${prefix.family}`, prefix: prefix.text })),
  );

/** @param now milliseconds of a monotonic clock */
export const openFlowCuts = (ports: Ports, now: () => number): FlowCuts => {
  const uncut = new Set<LinkName>();
  const running = new Set<LinkName>();
  const attempts = openFailedAttempts<VifKey, Problem>(now);
  let known: ReadonlySet<string> | undefined;

  const expectNew = (served: readonly ServedVif[]): void => {
    const before = known;
    const nameOf = ({ key, link }: ServedVif): string => `${key} ${link}`;
    known = new Set(served.map(nameOf));
    const isNew = (vif: ServedVif): boolean => before?.has(nameOf(vif)) !== true;
    const kernel = ports.observed.kernel();
    for (const vif of served.filter(isNew))
      if (before === undefined || isHeld(vif, kernel)) uncut.add(vif.link);
  };

  const forget = (served: readonly ServedVif[]): void => {
    const links = new Set(served.map(({ link }) => link));
    for (const link of uncut) if (!links.has(link)) uncut.delete(link);
    attempts.keepOnly(new Set(served.map(({ key }) => key)));
  };

  /** Runs a cut. Rules that change meanwhile make the vifs due again; so does a failure. */
  const attempt = async (vifs: readonly ServedVif[], cut: () => Promise<void>): Promise<void> => {
    const links = vifs.map(({ link }) => link);
    for (const link of links) {
      uncut.delete(link);
      running.add(link);
    }
    try {
      await cut();
      for (const { key } of vifs) attempts.succeeded(key);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      for (const link of links) uncut.add(link);
      for (const { key } of vifs) attempts.failed(key, problemFor(error));
    } finally {
      for (const link of links) running.delete(link);
    }
  };

  return {
    problemOf: attempts.failureOf,
    expect: (links) => {
      for (const link of links) uncut.add(link);
    },
    expectAll: () => {
      known = undefined;
    },
    due: (served) => {
      forget(served);
      expectNew(served);
      const due = served.filter(({ link }) => uncut.has(link) && !running.has(link));
      const hasFailed = ({ key }: ServedVif): boolean => attempts.failureOf(key) !== undefined;
      return {
        together: due.filter((vif) => !hasFailed(vif)),
        alone: due.filter((vif) => hasFailed(vif) && attempts.mayTry(vif.key)),
        retryInMs: attempts.dueInMs(),
      };
    },
    cutTogether: (vifs, served) => attempt(vifs, () => cutForbidden(vifs, served, ports)),
    cutAlone: (vif, served) => attempt([vif], () => cutForbiddenOrAll(vif, served, ports)),
  };
};
