/** The commands of the agent and of calls between VMs. */
import { command } from './command.ts';
import { checkStatuses, daemonStatuses } from './exit-status.ts';
import { directory, flag, optional, program, required, rest, seconds, text } from './parameter.ts';

const agent = command({
  path: ['agent'],
  summary: "Run this VM's agent in the foreground",
  details: 'The agent writes its log to standard output, one JSON object a line.',
  manual: 'vifwatch-agent(8)',
  globals: ['config', 'runtime', 'debug'],
  exitStatuses: daemonStatuses,
  examples: [
    ['vifwatch agent', 'make and answer calls, as the service does'],
    ['vifwatch agent --config test/vifwatch.toml', 'read test/agent.toml and test/policy.d'],
  ],
  run: async (values) => (await import('../ipc/agent.ts')).agent(values),
});

const agentCheck = command({
  path: ['agent', 'check'],
  summary: 'Check what the agent needs',
  details: 'The command prints a line for each check; a line that says FAIL names the next step.',
  manual: 'vifwatch-agent(8)',
  options: {
    root: optional(directory, 'check the root file system in this directory, not this VM'),
  },
  globals: ['config'],
  exitStatuses: checkStatuses,
  examples: [
    ['vifwatch agent check', 'check this VM before the service starts'],
    ['vifwatch agent check --root build/sa-vm', 'check a root file system before it is an image'],
  ],
  run: async ({ root, config }) => {
    if (root === undefined) return (await import('../ipc/agent-check.ts')).agentCheck(config);
    return (await import('../host/check-root.ts')).checkAgentRoot(root, config);
  },
});

const service = text('service[+argument]');

const call = command({
  path: ['call'],
  summary: 'Call a service of another VM',
  details:
    'The service gets the standard input of this command; its output and errors come out here. ' +
    'With PROGRAM, the service talks to the standard input and output of that program.',
  manual: 'vifwatch-agent(8)',
  arguments: {
    vm: required(text('vm'), 'name of the VM in /ipc/domain-map'),
    service: required(service, 'the service, and the argument for it'),
    program: rest(program, 'program that talks to the service, and its arguments; after "--"'),
  },
  options: { timeout: optional(seconds, 'cancel the call after this time') },
  globals: ['runtime'],
  exitStatuses: [
    ['0-255', 'exit status of the service'],
    ['128+N', 'signal N ended the service'],
    [125, 'any other failure; standard error names it'],
    [126, 'the policy of the other VM denied the call'],
    [127, 'the other VM has no such service'],
  ],
  examples: [
    ['vifwatch call sa-vm sign+key1 < letter > letter.sig', 'sign a letter with key1 on sa-vm'],
    ['vifwatch call --timeout 60 mgmt-vm copy -- tar c .', 'send a directory, a minute at most'],
  ],
  heedsOutput: true,
  endsProcess: true, // Unread input on a terminal or pipe would keep the process alive.
  run: async (values) => (await import('../ipc/call.ts')).call(values),
});

const peers = command({
  path: ['peers'],
  summary: 'Show the links with other VMs',
  manual: 'vifwatch-agent(8)',
  options: { json: flag('print one JSON object instead of a table') },
  globals: ['runtime'],
  exitStatuses: [
    [0, 'all links are up'],
    [1, 'at least one link is not up'],
    [69, 'no agent runs'],
  ],
  examples: [
    ['vifwatch peers', 'show the table'],
    ['vifwatch peers --json | jq .peers', 'let a program read the links'],
  ],
  run: async (values) => (await import('../ipc/peers.ts')).peers(values),
});

export const agentCommands = [agent, agentCheck, call, peers];
