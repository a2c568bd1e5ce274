/** The agent's configuration: /etc/vifwatch/agent.toml, and the parameters on the kernel's command line. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { invalid, invalidKey, parseStrict, readOptional } from '../../toml/strict-toml.ts';
import { everyone, type LinkConfig, onlyOne, parseLinkParameters } from './kernel-command-line.ts';
import { isDomainMapName, type VmName } from './vm-name.ts';

export type AgentConfig = LinkConfig & {
  /** The group whose members may call. If undefined, only root may call. */
  readonly group: string | undefined;
};

/** The agent's files and directories, all in the configuration file's directory. */
export type AgentPaths = {
  readonly config: string;
  readonly policies: string;
  readonly services: string;
  readonly serviceConfigs: string;
};

export const agentPaths = (configFile: string): AgentPaths => {
  const directory = dirname(configFile);
  return {
    config: join(directory, 'agent.toml'),
    policies: join(directory, 'policy.d'),
    services: join(directory, 'services'),
    serviceConfigs: join(directory, 'services.d'),
  };
};

const nameSchema = v.pipe(
  v.string(),
  v.check(isDomainMapName, 'not a valid VM name'),
  v.transform((text) => text as VmName),
);

const schema = v.strictObject({
  serve: v.optional(v.array(v.union([v.literal(everyone), nameSchema], 'not a valid VM name')), []),
  connect: v.optional(v.array(nameSchema), []),
  relay: v.optional(nameSchema),
  group: v.optional(
    v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'not a valid group name')),
  ),
});

const unique = <T>(...lists: readonly (readonly T[])[]): readonly T[] => [...new Set(lists.flat())];

/**
 * Parses the file's text and the kernel's command line.
 * @throws VifwatchError CONFIG_INVALID, with file, line and column for an error in the file
 */
export const parseAgentConfig = (file: string, text: string, commandLine: string): AgentConfig => {
  const { serve, connect, relay, group } = parseStrict(file, text, schema);
  let given: LinkConfig;
  try {
    given = parseLinkParameters(commandLine);
  } catch (error) {
    throw invalid('/proc/cmdline', (error as Error).message);
  }
  const relays = [given.relay, relay].filter((name) => name !== undefined);
  let only: VmName | undefined;
  try {
    only = onlyOne(relays);
  } catch (error) {
    const { message } = error as Error;
    throw invalidKey(
      file,
      text,
      ['relay'],
      `${message}; the kernel's command line sets "${given.relay}"`,
    );
  }
  const served = serve.filter((name): name is VmName => name !== everyone);
  return {
    serve: {
      names: unique(given.serve.names, served),
      everyone: given.serve.everyone || serve.includes(everyone),
    },
    connect: unique(given.connect, connect),
    relay: only,
    group,
  };
};

/**
 * Reads the file, which may be missing, and the kernel's command line.
 * @throws VifwatchError CONFIG_INVALID
 */
export const loadAgentConfig = async (file: string): Promise<AgentConfig> => {
  const text = await readOptional(file);
  return parseAgentConfig(file, text, await readFile('/proc/cmdline', 'latin1'));
};
