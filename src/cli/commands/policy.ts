/** The commands that read the call policy, without an agent. */
import { command, type Group } from './command.ts';
import { otherFailure } from './exit-status.ts';
import { directory, flag, optional, required, text } from './parameter.ts';

export const policyGroup: Group = {
  path: ['policy'],
  summary: 'Check the call policy of this VM, or ask it about a call',
  manual: 'vifwatch-policy(5)',
};

const dir = optional(
  directory,
  'directory of the policy files; default: policy.d beside the configuration',
);

const check = command({
  path: ['policy', 'check'],
  summary: 'Print all errors and warnings of the policy files',
  manual: 'vifwatch-policy(5)',
  arguments: { dir },
  globals: ['config'],
  exitStatuses: [
    [0, 'no error; there may be warnings'],
    [1, 'at least one error: the agent would deny every call'],
    otherFailure,
  ],
  examples: [
    ['vifwatch policy check', 'check /etc/vifwatch/policy.d'],
    ['vifwatch policy check new/policy.d', 'check files before they are installed'],
  ],
  run: async (values) => (await import('../ipc/policy-check.ts')).checkPolicy(values),
});

const explain = command({
  path: ['policy', 'explain'],
  summary: 'Print the verdict on a call, and the rules that lead to it',
  manual: 'vifwatch-policy(5)',
  arguments: {
    source: required(text('source'), 'the VM that calls'),
    service: required(text('service[+argument]'), 'the service that it calls'),
  },
  options: {
    dir,
    self: optional(text('name'), 'the VM that is called; default: this VM'),
    relayed: flag('the call comes through a relay'),
  },
  globals: ['config'],
  exitStatuses: [
    [0, 'the policy allows the call'],
    [1, 'the policy denies the call'],
    otherFailure,
  ],
  examples: [
    ['vifwatch policy explain workload-vm sign+key1', 'whether workload-vm may use key1'],
    [
      'vifwatch policy explain --dir policy.d --self sa-vm --relayed web sign',
      'ask the files of another VM about a relayed call',
    ],
  ],
  run: async (values) => (await import('../ipc/policy-explain.ts')).explainPolicy(values),
});

const evaluate = command({
  path: ['policy', 'eval'],
  summary: 'Answer requests on standard input with verdicts',
  details:
    'A request is a line like {"source":"web","service":"sign","argument":"key1"}; ' +
    'each gets a line with its verdict at once.',
  manual: 'vifwatch-policy(5)',
  options: {
    dir: required(directory, 'directory of the policy files'),
    self: required(text('name'), 'the VM that is called'),
  },
  exitStatuses: [
    [0, 'every request got its verdict'],
    [1, 'the policy has an error, or a line is not a request; the verdict is then "deny"'],
    otherFailure,
  ],
  examples: [
    [
      'vifwatch policy eval --dir policy.d --self sa-vm < requests.ndjson',
      'print a verdict for each line of a file',
    ],
    [
      'vifwatch policy eval --dir new/policy.d --self sa-vm < requests.ndjson | diff - verdicts.ndjson',
      'show which verdicts a new policy changes',
    ],
  ],
  run: async (values) => (await import('../ipc/policy-eval.ts')).evaluatePolicy(values),
});

export const policyCommands = [check, explain, evaluate];
