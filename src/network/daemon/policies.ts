/** The policies in force: loads them, loads them again when their files change, and applies them to vifs. */

import type { Logger } from 'pino';
import { concatMap, debounceTime, fromEvent, merge, type Observable, of, Subject } from 'rxjs';
import type { LinkName } from '../../address/link-name.ts';
import { isProblem, type Problem } from '../../errors.ts';
import { delayAfter } from '../../system/backoff.ts';
import type { Clock, Timer } from '../../system/clock.ts';
import { watchFiles } from '../../system/file-monitor.ts';
import { loadNative } from '../../xen/native.ts';
import { loadPolicies } from '../config/policies.ts';
import type { FlowFacts } from '../policy/flow-verdict.ts';
import { hostsOf, type NetworkPolicy, nextExpiry } from '../policy/policy.ts';
import type { PolicyChains, PolicyFacts, VmPolicy } from '../policy/policy-chain.ts';
import { openPolicyCompiler } from '../policy/policy-compiler.ts';
import {
  everyPolicy,
  keepVanished,
  type PolicySet,
  policyOf,
  vanishedMs,
  vmNamesIn,
} from '../policy/policy-set.ts';
import type { BackendVif } from '../vif/backend-vif.ts';
import type { Circumstances } from '../vif/decide-vifs.ts';
import type { NameOf } from '../vif/same-vm-vifs.ts';
import type { HostNames } from './host-names.ts';

type Vifs = ReadonlyMap<unknown, BackendVif>;

export type Policies = {
  /** Reads the files again. If the directory cannot be read, logs that and keeps the previous policies. */
  readonly reload: () => Promise<void>;
  /** Emits when files must be read again although nothing reports a change of them. */
  readonly due: Observable<void>;
  /** Emits after each reload, and when the addresses of a DNS name have changed. */
  readonly changes: Observable<void>;
  readonly policyFor: (vifs: Vifs) => Circumstances['policyFor'];
  /** The names of VMs that have a policy, or that a rule names. */
  readonly vmNames: () => readonly string[];
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

/** The kernel does not report that a process has closed a file that it wrote. */
const rereads = { firstMs: 100, longestMs: 5_000 };

/** An hour: Node's timers can wait for at most 24 days. */
const longestMs = 3_600_000;

const linksByName = (vifs: Vifs, nameOf: NameOf): ReadonlyMap<string, readonly LinkName[]> => {
  const links = new Map<string, LinkName[]>();
  for (const vif of vifs.values()) {
    const name = nameOf(vif);
    if (name === undefined || isProblem(vif.facts)) continue;
    const ofVm = links.get(name);
    if (ofVm === undefined) links.set(name, [vif.facts.link]);
    else ofVm.push(vif.facts.link);
  }
  return links;
};

/** Milliseconds until the first policy of a vanished file ends; undefined if there is none. */
const endsInMs = ({ vanished }: PolicySet, nowMs: number): number | undefined =>
  vanished.size === 0 ? undefined : Math.max(0, Math.min(...vanished.values()) - nowMs);

const isSame = (a: PolicySet, b: PolicySet): boolean =>
  a.policies.size === b.policies.size &&
  a.vanished.size === b.vanished.size &&
  [...a.policies].every(([key, policy]) => b.policies.get(key) === policy);

const logChanges = (now: PolicySet, before: PolicySet | undefined, log: Logger): void => {
  for (const [key, policy] of now.policies) {
    if (isProblem(policy) && policy !== before?.policies.get(key))
      log.error({ code: policy.code }, policy.text);
  }
  for (const key of now.vanished.keys()) {
    if (before?.vanished.has(key)) continue;
    const text = `the file ${key}.toml is gone; its policy stays in force for ${vanishedMs / 1000} s`;
    log.warn({ policy: key }, text);
  }
  for (const file of now.unsettled) {
    if (before?.unsettled.includes(file)) continue;
    log.warn({ file }, `a program is writing ${file}; the policy before stays in force until then`);
  }
};

type Ports = { readonly clock: Clock; readonly log: Logger };

/** Reads the files, and again when a change of them may not be reported. */
const openLoader = (directory: string, hostNames: HostNames, { clock, log }: Ports) => {
  const due = new Subject<void>();
  let timer: Timer | undefined;
  /** The number of reads in a row that were not complete. */
  let incomplete = 0;
  const readAgain = (inMs: number | undefined): void => {
    timer?.cancel();
    timer = inMs === undefined ? undefined : clock.after(inMs, () => due.next()).unref();
  };
  const load = async (before?: PolicySet): Promise<PolicySet> => {
    incomplete += 1;
    let againInMs: number | undefined = delayAfter(incomplete, rereads);
    try {
      const { isOpenForWriting } = loadNative();
      const read = await loadPolicies(directory, before, isOpenForWriting);
      const loaded = before === undefined ? read : keepVanished(read, before, clock.now());
      hostNames.want(new Set(everyPolicy(loaded).flatMap(hostsOf)));
      logChanges(loaded, before, log);
      if (loaded.unsettled.length === 0) {
        incomplete = 0;
        againInMs = endsInMs(loaded, clock.now());
      }
      return loaded;
    } finally {
      readAgain(againInMs);
    }
  };
  return { load, due };
};

/**
 * Loads the policies.
 * @throws VifwatchError CONFIG_INVALID if the directory cannot be read
 */
export const openPolicies = async (
  directory: string,
  hostNames: HostNames,
  ports: Ports,
): Promise<Policies> => {
  const { log } = ports;
  const { load, due } = openLoader(directory, hostNames, ports);
  let policySet = await load();
  const compile = openPolicyCompiler();
  const reloads = new Subject<void>();
  let failure: string | undefined;
  const nowS = (): number => Date.now() / 1000;

  const factsOf = (links: ReadonlyMap<string, readonly LinkName[]>): PolicyFacts => ({
    nowS: nowS(),
    linksOf: (vm) => links.get(vm) ?? [],
    addressesOf: hostNames.addressesOf,
  });

  return {
    reload: async () => {
      try {
        const before = policySet;
        policySet = await load(before);
        if (!isSame(policySet, before))
          log.info({ policies: [...policySet.policies.keys()] }, 'loaded the policies again');
        failure = undefined;
      } catch (error) {
        const { code, message } = error as Problem & Error;
        // The files are read again and again until they can be read.
        if (message !== failure) log.error({ code }, `${message}; keeping the previous policies`);
        failure = message;
      }
      reloads.next();
    },
    due,
    changes: merge(reloads, hostNames.changes),
    policyFor: (vifs) => (nameOf) => {
      const facts = factsOf(linksByName(vifs, nameOf));
      // Each policy is compiled once, since most VMs have the same one.
      const known = new Map<NetworkPolicy, VmPolicy>();
      const compiled = (policy: NetworkPolicy): VmPolicy => {
        const result = known.get(policy) ?? compile(policy, facts);
        known.set(policy, result);
        return result;
      };
      return (vif, prefixes) => {
        const policy = policyOf(policySet, vif.domid, nameOf(vif), prefixes);
        return isProblem(policy) ? policy : compiled(policy);
      };
    },
    vmNames: () => vmNamesIn(policySet),
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

/**
 * The policies are reloaded after this time without a change, since an editor writes a file in several steps.
 */
const editMs = 10;

/**
 * Loads the policies again after each edit and each SIGHUP, and when they are due. Loads them once at first: a
 * file may have changed since the policies were opened.
 */
export const reloadOnEdit = (directory: string, { due, reload }: Policies): Observable<void> =>
  merge(fromEvent(process, 'SIGHUP'), watchFiles(directory), due, of(undefined)).pipe(
    debounceTime(editMs),
    concatMap(reload),
  );
