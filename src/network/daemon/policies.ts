/** The policies in force: loads them, loads them again when their files change, and applies them to vifs. */

import type { Logger } from 'pino';
import { merge, type Observable, Subject } from 'rxjs';
import type { LinkName } from '../../address/link-name.ts';
import { isProblem, type Problem } from '../../errors.ts';
import { loadPolicies } from '../config/policies.ts';
import type { FlowFacts } from '../policy/flow-verdict.ts';
import { hostsOf, type NetworkPolicy, nextExpiry } from '../policy/policy.ts';
import type { PolicyChains, PolicyFacts, VmPolicy } from '../policy/policy-chain.ts';
import { openPolicyCompiler } from '../policy/policy-compiler.ts';
import { everyPolicy, type PolicySet, policyOf } from '../policy/policy-set.ts';
import type { BackendVif, VmNames } from '../vif/backend-vif.ts';
import type { Circumstances } from '../vif/decide-vifs.ts';
import type { HostNames } from './host-names.ts';

type Vifs = ReadonlyMap<unknown, BackendVif>;

export type Policies = {
  /** Reads the files again. If the directory cannot be read, logs that and keeps the previous policies. */
  readonly reload: () => Promise<void>;
  /** Emits after each reload, and when the addresses of a DNS name have changed. */
  readonly changes: Observable<void>;
  readonly policyFor: (vifs: Vifs, names: VmNames) => Circumstances['policyFor'];
  /** The chains of the policy that most VMs share. */
  readonly commonChains: () => PolicyChains;
  /**
   * The facts that a verdict on a tracked flow needs beside the policies.
   * @param atStart for flows that an earlier daemon may have allowed
   */
  readonly flowFacts: (atStart: boolean) => Omit<FlowFacts, 'vmOf'>;
  /** Milliseconds until the next rule expires, at most an hour; undefined if no rule expires. */
  readonly dueInMs: () => number | undefined;
};

/** An hour: Node's timers can wait for at most 24 days. */
const longestMs = 3_600_000;

const linksByName = (vifs: Vifs, names: VmNames): ReadonlyMap<string, readonly LinkName[]> => {
  const links = new Map<string, LinkName[]>();
  for (const { domid, facts } of vifs.values()) {
    const name = names.get(domid);
    if (name === undefined || isProblem(facts)) continue;
    links.set(name, [...(links.get(name) ?? []), facts.link]);
  }
  return links;
};

/**
 * Loads the policies.
 * @throws VifwatchError CONFIG_INVALID if the directory cannot be read
 */
export const openPolicies = async (
  directory: string,
  hostNames: HostNames,
  log: Logger,
): Promise<Policies> => {
  const load = async (before?: PolicySet): Promise<PolicySet> => {
    const loaded = await loadPolicies(directory, before);
    hostNames.want(new Set(everyPolicy(loaded).flatMap(hostsOf)));
    for (const policy of loaded.policies.values()) {
      if (isProblem(policy)) log.error({ code: policy.code }, policy.text);
    }
    return loaded;
  };
  let policySet = await load();
  const compile = openPolicyCompiler();
  const reloads = new Subject<void>();
  const nowS = (): number => Date.now() / 1000;

  const factsOf = (links: ReadonlyMap<string, readonly LinkName[]>): PolicyFacts => ({
    nowS: nowS(),
    linksOf: (vm) => links.get(vm) ?? [],
    addressesOf: hostNames.addressesOf,
  });

  return {
    reload: async () => {
      try {
        policySet = await load(policySet);
        log.info({ policies: [...policySet.policies.keys()] }, 'loaded the policies again');
      } catch (error) {
        const { code, message } = error as Problem & Error;
        log.error({ code }, `${message}; keeping the previous policies`);
      }
      reloads.next();
    },
    changes: merge(reloads, hostNames.changes),
    policyFor: (vifs, names) => {
      const facts = factsOf(linksByName(vifs, names));
      // Each policy is compiled once, since most VMs have the same one.
      const known = new Map<NetworkPolicy, VmPolicy>();
      const compiled = (policy: NetworkPolicy): VmPolicy => {
        const result = known.get(policy) ?? compile(policy, facts);
        known.set(policy, result);
        return result;
      };
      return (domid, prefixes) => {
        const policy = policyOf(policySet, domid, names.get(domid), prefixes);
        return isProblem(policy) ? policy : compiled(policy);
      };
    },
    commonChains: () => compile(policySet.fallback, factsOf(new Map())).chains,
    flowFacts: (atStart) => {
      const { everOf, pastOf, addressesOf } = hostNames;
      return { nowS: nowS(), everOf: atStart ? pastOf : everOf, addressesOf };
    },
    dueInMs: () => {
      const next = nextExpiry(everyPolicy(policySet), nowS());
      return next === undefined ? undefined : Math.min((next - nowS()) * 1000 + 1, longestMs);
    },
  };
};
