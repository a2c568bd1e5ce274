/** `vifwatch check --root`: checks that a root file system has all that net-vm or an agent's VM needs. */
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  inspectAgentConfig,
  inspectCallPolicy,
  inspectVifPolicies,
  loadNetVmConfig,
} from '../../host/image/configuration.ts';
import type { NeededModule } from '../../host/image/module-index.ts';
import {
  agentModules,
  inspectModules,
  kernelReleases,
  netVmModules,
  noKernel,
  translationModules,
} from '../../host/image/modules.ts';
import { filesThatMatter, inspectOwners } from '../../host/image/owners.ts';
import { inspectAddon, inspectCommand, inspectPackage } from '../../host/image/package-files.ts';
import {
  inspectNamed,
  netVmPrograms,
  node,
  type RequiredProgram,
} from '../../host/image/programs.ts';
import { inspectService, type ServiceName } from '../../host/image/service.ts';
import { agentPaths } from '../../ipc/config/agent-config.ts';
import { policyDirectory } from '../../network/config/config.ts';
import { type CheckResult, probe, report } from '../check-result.ts';

type Role = {
  readonly programs: readonly RequiredProgram[];
  readonly service: ServiceName;
  readonly modules: readonly NeededModule[];
  readonly configuration: readonly Promise<CheckResult>[];
  /** The directory of the configuration. */
  readonly etc: string;
};

const modules = (
  root: string,
  needed: readonly NeededModule[],
): readonly Promise<CheckResult>[] => {
  const releases = kernelReleases(root);
  if (releases.length === 0)
    return [Promise.resolve({ kind: 'failed', name: 'modules', text: noKernel })];
  return releases.map((release) =>
    probe(`modules of ${release}`, '', async () => inspectModules(root, release, needed)),
  );
};

const checks = (
  root: string,
  { programs, service, modules: needed, configuration, etc }: Role,
): readonly Promise<CheckResult>[] => [
  ...programs.map((program) => probe(program.name, '', () => inspectNamed(root, program))),
  probe('vifwatch', '', () => inspectCommand(root)),
  probe('package', '', async () => inspectPackage(root)),
  probe('addon', '', () => inspectAddon(root)),
  ...modules(root, needed),
  probe('service', '', async () => inspectService(root, service)),
  ...configuration,
  probe('owners', '', async () =>
    inspectOwners(root, filesThatMatter(root, { programs, service, etc })),
  ),
];

/** Prints one line per check and returns the exit status. */
const inspect = async (
  directory: string,
  roleOf: (root: string) => Promise<Role>,
): Promise<number> => {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return await report([
      Promise.resolve({ kind: 'failed', name: 'root', text: `${directory} is not a directory` }),
    ]);
  }
  const root = realpathSync(directory);
  return await report(checks(root, await roleOf(root)));
};

/** Checks net-vm's root file system; returns the exit status. @param config a path in it */
export const checkNetVmRoot = (directory: string, config: string): Promise<number> =>
  inspect(directory, async (root) => {
    const loading = loadNetVmConfig(root, config);
    const translates = await loading.then(
      ({ masquerade, forwards }) => masquerade || forwards.length > 0,
      () => false,
    );
    return {
      programs: [node, ...netVmPrograms],
      service: 'vifwatch',
      modules: [...netVmModules, ...(translates ? translationModules : [])],
      configuration: [
        probe('config', '', async () => {
          const { uplinks } = await loading;
          return `uplinks: ${uplinks?.join(' ') ?? 'every interface'}`;
        }),
        probe('policies', '', () => inspectVifPolicies(root, policyDirectory(config))),
      ],
      etc: dirname(config),
    };
  });

/** Checks the root file system of a VM with an agent; returns the exit status. @param config a path in it */
export const checkAgentRoot = (directory: string, config: string): Promise<number> =>
  inspect(directory, async (root) => {
    const paths = agentPaths(config);
    return {
      programs: [node],
      service: 'vifwatch-agent',
      modules: agentModules,
      configuration: [
        probe('config', '', () => inspectAgentConfig(root, paths.config)),
        probe('policy', '', () => inspectCallPolicy(root, paths.policies)),
      ],
      etc: dirname(config),
    };
  });
