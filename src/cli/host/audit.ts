/** `vifwatch audit`: checks that dom0 is on none of this VM's paths, and that the VM matches its mesh. */
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { dom0 } from '../../address/domid.ts';
import type { AuditFinding } from '../../host/audit/finding.ts';
import {
  type KernelParameters,
  parseKernelParameters,
} from '../../host/audit/kernel-parameters.ts';
import {
  agentAnswer,
  type LinkFacts,
  type ListedPair,
  linkFindings,
} from '../../host/audit/link-findings.ts';
import { mapFindings } from '../../host/audit/map-findings.ts';
import { policyFindings } from '../../host/audit/policy-findings.ts';
import { rendezvousFindings } from '../../host/audit/rendezvous-findings.ts';
import { readMap, readOwnNodes, readVifs } from '../../host/audit/store-facts.ts';
import { vifFindings } from '../../host/audit/vif-findings.ts';
import { listedIn } from '../../ipc/agent/link-changes.ts';
import { agentPaths, loadAgentConfig } from '../../ipc/config/agent-config.ts';
import { loadPolicy } from '../../ipc/config/load-policy.ts';
import { systemClock } from '../../system/clock.ts';
import { answerMs, answerWithin, within } from '../../system/deadline.ts';
import { plainTable } from '../../text/plain-table.ts';
import { connect } from '../../xen/connect.ts';
import { noneRuns } from '../commands/exit-status.ts';
import { askPeers } from '../ipc/agent-link.ts';
import { askDaemon } from '../network/status.ts';
import { printError } from '../print-error.ts';

type Options = { readonly config: string; readonly runtime: string; readonly json?: true };

type StoreResult = {
  readonly findings: readonly AuditFinding[];
  /** This VM's name; undefined if this VM cannot read it, which is a finding. */
  readonly name: string | undefined;
};

/** @throws Error if xenstored takes longer than 15 s */
const fromXenstored = <T>(work: Promise<T>): Promise<T> =>
  within(systemClock, answerMs, work, () => {
    throw new Error(
      `xenstored does not answer within ${answerMs / 1000} s; look at xenstored in dom0`,
    );
  });

const fromStore = async (runtime: string): Promise<StoreResult> => {
  const { store, domid } = await connect();
  try {
    if (domid === dom0) throw new Error('this is dom0; to audit dom0, run the script dom0/audit');
    const isDaemonThere = await askDaemon(runtime).then(
      (status) => status !== undefined,
      () => false,
    );
    const map = await fromXenstored(readMap(store, domid));
    const findings = [
      ...vifFindings({ ...(await fromXenstored(readVifs(store, domid))), isDaemonThere }),
      ...rendezvousFindings(domid, await fromXenstored(readOwnNodes(store, domid))),
      ...mapFindings(domid, map),
    ];
    return { findings, name: map.name };
  } finally {
    // A pending request keeps the process alive.
    store.close();
  }
};

const fromAgent = async (runtime: string): Promise<LinkFacts['agent']> => {
  try {
    const { peers } = v.parse(agentAnswer, await answerWithin(answerMs, askPeers(runtime)));
    return { kind: 'answer', peers };
  } catch (error) {
    return { kind: 'silence', reason: (error as Error).message };
  }
};

/**
 * The configured links, also that with the relay; undefined if the agent would refuse its configuration.
 * @param self this VM's name, which may be the relay's
 */
const pairsOf = async (
  file: string,
  self: string | undefined,
): Promise<readonly ListedPair[] | undefined> => {
  try {
    const listed = listedIn(await loadAgentConfig(file), self);
    return (['server', 'client'] as const).flatMap((role) =>
      [...listed[role]].map((name) => ({ name, role })),
    );
  } catch {
    return undefined;
  }
};

const ofLinks = async (
  parameters: KernelParameters,
  pairs: readonly ListedPair[] | undefined,
  runtime: string,
): Promise<readonly AuditFinding[]> =>
  linkFindings({
    isAgentWanted: parameters.isLinked || pairs === undefined || pairs.length > 0,
    pairs: pairs ?? [],
    agent: await fromAgent(runtime),
  });

const text = (findings: readonly AuditFinding[]): string => {
  if (findings.length === 0) return 'nothing found';
  const rows = findings.map(({ code, what, do: remedy }) => [code, what, remedy]);
  return plainTable(['CODE', 'WHAT', 'WHAT TO DO'], rows);
};

/** Prints the findings. Returns the exit status: 0 without findings, 1 with some, 69 if the audit fails. */
export const audit = async ({ config, runtime, json }: Options): Promise<number> => {
  const paths = agentPaths(config);
  let findings: readonly AuditFinding[];
  try {
    const parameters = parseKernelParameters(await readFile('/proc/cmdline', 'latin1'));
    const ofStore = await fromStore(runtime);
    const pairs = await pairsOf(paths.config, ofStore.name);
    findings = [
      ...ofStore.findings,
      ...policyFindings(parameters, await loadPolicy(paths.policies)),
      ...(await ofLinks(parameters, pairs, runtime)),
    ];
  } catch (error) {
    printError((error as Error).message);
    return noneRuns;
  }
  process.stdout.write(json ? `${JSON.stringify({ findings }, null, 2)}\n` : `${text(findings)}\n`);
  return findings.length === 0 ? 0 : 1;
};
