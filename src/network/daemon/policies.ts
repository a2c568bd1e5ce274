/** The policies in force: loaded, loaded again when their files change, and applied to vifs. */

import type { Logger } from 'pino';
import { merge, type Observable, Subject } from 'rxjs';
import { contains, parsePrefix } from '../../address/prefix.ts';
import type { Problem } from '../../errors.ts';
import { isProblem } from '../../errors.ts';
import { profileDirectory } from '../../package.ts';
import { loadPolicies } from '../config/policies.ts';
import type { Flow } from '../policy/flow.ts';
import { allows, type FlowFacts } from '../policy/flow-verdict.ts';
import { hostsOf, type NetworkPolicy, nextExpiry } from '../policy/policy.ts';
import type { PolicyChains, PolicyFacts } from '../policy/policy-chain.ts';
import { openPolicyCompiler } from '../policy/policy-compiler.ts';
import { everyPolicy, type PolicySet, policyOf } from '../policy/policy-set.ts';
import type { VmPolicy } from '../policy/vm-policy.ts';
import type { BackendVif } from '../vif/backend-vif.ts';
import type { Circumstances } from '../vif/decide-vifs.ts';
import type { ServedVif } from '../vif/served-vif.ts';
import type { HostNames } from './host-names.ts';

type Vifs = ReadonlyMap<unknown, BackendVif>;
type Names = ReadonlyMap<number, string>;

export type Policies = {
  /** Reads the files again; a directory that cannot be read is logged, and what was read before stays. */
  readonly reload: () => Promise<void>;
  /** Emits when policies are others than before, or mean others. */
  readonly changes: Observable<void>;
  readonly policyFor: (vifs: Vifs, names: Names) => Circumstances['policyFor'];
  /** The chains of the policy that most VMs share. */
  readonly commonChains: () => PolicyChains;
  /** Whether a flow would be let through now. */
  readonly allowsFlow: (served: readonly ServedVif[], names: Names) => (flow: Flow) => boolean;
  /** Milliseconds until a rule expires. */
  readonly dueInMs: () => number | undefined;
};

/** A timer can wait for no more than 24 days. */
const longestMs = 3_600_000;

const linksByName = (vifs: Vifs, names: Names): ReadonlyMap<string, readonly string[]> => {
  const links = new Map<string, string[]>();
  for (const { domid, facts } of vifs.values()) {
    const name = names.get(domid);
    if (name === undefined || isProblem(facts)) continue;
    links.set(name, [...(links.get(name) ?? []), facts.link]);
  }
  return links;
};

/** Throws CONFIG_INVALID if the directory cannot be read at the start. */
export const openPolicies = async (
  directory: string,
  hostNames: HostNames,
  log: Logger,
): Promise<Policies> => {
  const load = async (before?: PolicySet): Promise<PolicySet> => {
    const loaded = await loadPolicies(directory, profileDirectory, before);
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

  const factsOf = (links: ReadonlyMap<string, readonly string[]>): PolicyFacts => ({
    nowS: nowS(),
    linksOf: (vm) => links.get(vm) ?? [],
    addressesOf: hostNames.addressesOf,
  });

  return {
    reload: async () => {
      try {
        policySet = await load(policySet);
        log.info({ policies: [...policySet.policies.keys()] }, 'policies read');
      } catch (error) {
        const { code, message } = error as Problem & Error;
        log.error({ code }, message);
      }
      reloads.next();
    },
    changes: merge(reloads, hostNames.changes),
    policyFor: (vifs, names) => {
      const facts = factsOf(linksByName(vifs, names));
      // Most VMs have the same policy, and this is asked for each of them.
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
    allowsFlow: (served, names) => {
      const holderOf = (address: string): ServedVif | undefined => {
        const prefix = parsePrefix(address);
        if ('problem' in prefix) return undefined;
        return served.find(({ prefixes }) => prefixes.some((range) => contains(range, prefix)));
      };
      const facts: FlowFacts = {
        nowS: nowS(),
        vmOf: (address) => {
          const holder = holderOf(address);
          return holder && (names.get(holder.domid) ?? null);
        },
        everOf: hostNames.everOf,
      };
      return (flow) => {
        const from = holderOf(flow.source)?.policy.source;
        const to = flow.isForwarded ? undefined : holderOf(flow.destination)?.policy.source;
        return (
          (from === undefined || allows(from, 'out', flow, facts)) &&
          (to === undefined || allows(to, 'in', flow, facts))
        );
      };
    },
    dueInMs: () => {
      const next = nextExpiry(everyPolicy(policySet), nowS());
      return next === undefined ? undefined : Math.min((next - nowS()) * 1000 + 1, longestMs);
    },
  };
};
