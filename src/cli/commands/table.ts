import { agentCommands } from './agent.ts';
import type { CommandTable } from './command.ts';
import { hostCommands, meshGroup } from './host.ts';
import { networkCommands } from './network.ts';
import { policyCommands, policyGroup } from './policy.ts';

export const commandTable: CommandTable = {
  commands: [...networkCommands, ...agentCommands, ...policyCommands, ...hostCommands],
  groups: [policyGroup, meshGroup],
};
