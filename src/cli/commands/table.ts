/** All commands. The command line, help, completions and manual pages' synopses come from this table. */

import { agentCommands } from './agent.ts';
import type { CommandTable } from './command.ts';
import { completionCommand } from './completion.ts';
import { hostCommands, meshGroup } from './host.ts';
import { networkCommands } from './network.ts';
import { policyCommands, policyGroup } from './policy.ts';

export const commandTable: CommandTable = {
  commands: [
    ...networkCommands,
    ...agentCommands,
    ...policyCommands,
    ...hostCommands,
    completionCommand(() => commandTable),
  ],
  groups: [policyGroup, meshGroup],
};
