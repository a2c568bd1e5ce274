/** `vifwatch agent check`: checks the agent's configuration and this VM. A failed check shows the remedy. */
import { access, readFile } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import { listedIn } from '../../ipc/agent/link-changes.ts';
import {
  type AgentConfig,
  type AgentPaths,
  agentPaths,
  loadAgentConfig,
} from '../../ipc/config/agent-config.ts';
import { pagesPerLink } from '../../ipc/config/link-grants.ts';
import { loadPolicy } from '../../ipc/config/load-policy.ts';
import { type InspectedService, inspectServices } from '../../ipc/services/inspect-services.ts';
import { firstOfDiagnostics } from '../../text/diagnostic.ts';
import { ownName } from '../../xen/connect.ts';
import { addon, type CheckResult, probe, report, xenstore } from '../check-result.ts';

const device = (name: string): Promise<CheckResult> =>
  probe(`/dev/xen/${name}`, `modprobe xen-${name}, or build it into the kernel`, async () => {
    await access(`/dev/xen/${name}`);
    return 'there';
  });

const limitFile = '/sys/module/xen_gntalloc/parameters/limit';

/** Checks the kernel's limit on granted pages: each link that this VM serves takes some. */
const grants = (served: number): Promise<CheckResult> =>
  probe('grants', '', async () => {
    const limit = Number(await readFile(limitFile, 'latin1'));
    const needed = served * pagesPerLink;
    if (needed <= limit) return `${limit} pages, ${needed} needed for ${served} links`;
    throw new Error(
      `${served} links need ${needed} pages, but the limit is ${limit}: ` +
        `echo ${needed} >${limitFile}, and xen_gntalloc.limit=${needed} on the kernel's command line`,
    );
  });

const policy = (directory: string): Promise<CheckResult> =>
  probe('policy', '', async () => {
    const { policy, rules, files } = await loadPolicy(directory);
    switch (policy.kind) {
      case 'rules':
        return `${rules.length} rules in ${files} files`;
      case 'absent':
        throw new Error(
          `${directory} does not exist: every call is denied; mkdir -p ${directory}, and write a policy`,
        );
      case 'invalid': {
        const hint = policy.diagnostics.length === 1 ? '' : ': vifwatch policy check';
        throw new Error(`${firstOfDiagnostics(policy.diagnostics)}${hint}`);
      }
    }
  });

/** Checks the services: one result for all that can run, and one for each other. */
const services = ({ services: directory, serviceConfigs }: AgentPaths): readonly CheckResult[] => {
  const name = 'services';
  let found: readonly InspectedService[];
  try {
    found = inspectServices(directory, serviceConfigs);
  } catch (error) {
    return [{ kind: 'failed', name, text: `${messageOf(error)}; mkdir -p ${directory}` }];
  }
  const fine = found.filter(({ problem }) => problem === undefined).map((each) => each.name);
  const text = found.length === 0 ? `none in ${directory}` : fine.join(' ') || 'none can run';
  return [
    { kind: 'passed', name, text },
    ...found.flatMap(({ name: service, problem }): CheckResult[] =>
      problem === undefined ? [] : [{ kind: 'failed', name: `service ${service}`, text: problem }],
    ),
  ];
};

const configured = ({ serve, connect, relay }: AgentConfig): string => {
  const served = serve.everyone ? ['everyone'] : serve.names;
  const links = `serves ${served.join(' ') || 'none'}, connects to ${connect.join(' ') || 'none'}`;
  return relay === undefined ? links : `${links}, the relay is ${relay}`;
};

/** Checks the configured links. If the configuration is invalid, that is the only result. */
const links = async (file: string): Promise<readonly Promise<CheckResult>[]> => {
  let config: AgentConfig;
  try {
    config = await loadAgentConfig(file);
  } catch (error) {
    return [Promise.resolve({ kind: 'failed', name: 'config', text: (error as Error).message })];
  }
  const { serve } = config;
  const serves = serve.everyone || serve.names.length > 0;
  // Another check reports that xenstored does not answer.
  const self = await ownName().catch(() => undefined);
  const connects = listedIn(config, self).client.size > 0;
  return [
    Promise.resolve({ kind: 'passed', name: 'config', text: configured(config) }),
    ...(serves ? [device('gntalloc'), grants(serve.names.length)] : []),
    ...(connects ? [device('gntdev')] : []),
  ];
};

/** Prints one line per check and returns the exit status. */
export const agentCheck = async (configFile: string): Promise<number> => {
  const paths = agentPaths(configFile);
  return await report([
    ...(await links(paths.config)),
    device('evtchn'),
    policy(paths.policies),
    ...services(paths).map((result) => Promise.resolve(result)),
    addon(),
    xenstore(),
  ]);
};
