/** `vifwatch agent check`: what the agent's configuration and this VM lack, one line each with the way out. */
import { access, readdir, readFile } from 'node:fs/promises';
import { loadPolicy } from '../call-policy/load-policy.ts';
import { type AgentConfig, agentPaths, loadAgentConfig } from '../config/agent-config.ts';
import { addon, type Finding, probe, report, xenstore } from './finding.ts';

const device = (name: string): Promise<Finding> =>
  probe(`/dev/xen/${name}`, `modprobe xen-${name}, or build it into the kernel`, async () => {
    await access(`/dev/xen/${name}`);
    return 'there';
  });

/** Two rings of 64 KiB, their control page, and one more while it offers or is connected. */
const pagesPerLink = 34;

const limitFile = '/sys/module/xen_gntalloc/parameters/limit';

/** Each link that this VM serves takes pages of its own, of which the kernel gives so many and no more. */
const grants = ({ serve }: AgentConfig): Promise<Finding> =>
  probe('grants', '', async () => {
    const limit = Number(await readFile(limitFile, 'latin1'));
    const needed = serve.names.length * pagesPerLink;
    if (needed <= limit) return `${limit} pages, ${needed} needed for ${serve.names.length} links`;
    throw new Error(
      `${needed} pages needed for ${serve.names.length} links, and only ${limit} allowed: ` +
        `echo ${needed} >${limitFile}, and xen_gntalloc.limit=${needed} on the kernel's command line`,
    );
  });

const policy = (directory: string): Promise<Finding> =>
  probe('policy', '', async () => {
    const { policy, rules, files } = await loadPolicy(directory);
    switch (policy.is) {
      case 'rules':
        return `${rules.length} rules in ${files} files`;
      case 'absent':
        throw new Error(`${directory} does not exist: every call is denied`);
      case 'invalid': {
        const [first, ...others] = policy.faults;
        const more =
          others.length === 0 ? '' : `, and ${others.length} more: vifwatch policy check`;
        throw new Error(`${first?.place}: ${first?.text}${more}`);
      }
    }
  });

const services = (directory: string): Promise<Finding> =>
  probe('services', `mkdir -p ${directory}`, async () => {
    const names = await readdir(directory);
    return names.join(' ') || `none in ${directory}`;
  });

/** Prints one line per finding and returns the exit status. */
export const agentCheck = async (options: { readonly config: string }): Promise<number> => {
  const paths = agentPaths(options.config);
  const config = loadAgentConfig(paths.config);
  const serves = config.then(({ serve }) => serve.everyone || serve.names.length > 0);
  const told = await config.then(
    (loaded) => loaded,
    () => undefined,
  );
  const needsServer = await serves.catch(() => true);
  return await report([
    probe('config', '', async () => {
      const { serve, connect } = await config;
      const served = serve.everyone ? ['everyone'] : serve.names;
      return `serves ${served.join(' ') || 'none'}, connects to ${connect.join(' ') || 'none'}`;
    }),
    policy(paths.policies),
    services(paths.services),
    addon(),
    device('evtchn'),
    ...(needsServer ? [device('gntalloc')] : []),
    ...(told === undefined ? [] : [grants(told)]),
    device('gntdev'),
    xenstore(),
  ]);
};
