/** The commands of the network daemon's VM. */
import { command } from './command.ts';
import { badConfiguration, checkStatuses, daemonStatuses, otherFailure } from './exit-status.ts';
import { directory, flag, optional } from './parameter.ts';

const run = command({
  path: ['run'],
  summary: 'Run the network daemon in the foreground',
  details: 'The daemon writes its log to standard output, one JSON object a line.',
  manual: 'vifwatch(8)',
  globals: ['config', 'runtime', 'debug'],
  exitStatuses: daemonStatuses,
  examples: [
    ['vifwatch run', 'serve all vifs with /etc/vifwatch/vifwatch.toml, as the service does'],
    ['vifwatch run --config test.toml --runtime /run/test', 'try another configuration'],
  ],
  run: async (values) => (await import('../network/run.ts')).runNetwork(values),
  endsProcess: true, // A program that hangs would keep the process alive.
});

const status = command({
  path: ['status'],
  summary: 'Show vifs, routes and dropped packets',
  details: 'Without a daemon, the command reads xenstore and the kernel itself.',
  manual: 'vifwatch(8)',
  options: { json: flag('print one JSON object instead of tables') },
  globals: ['config', 'runtime'],
  exitStatuses: [
    [0, 'the daemon and all vifs are healthy'],
    [1, 'the daemon or a vif is not healthy, or panic mode is on'],
    [69, 'no daemon runs'],
    otherFailure,
    badConfiguration,
  ],
  examples: [
    ['vifwatch status', 'show the tables'],
    ['vifwatch status --json | jq .vifs', 'let a program read the vifs'],
  ],
  run: async (values) => (await import('../network/status.ts')).status(values),
});

const exportRules = command({
  path: ['export'],
  summary: "Print the kernel's vifwatch ruleset as nft text",
  details: 'Comments name the VMs. nft can load the text into a kernel that has no ruleset.',
  manual: 'vifwatch(8)',
  options: { json: flag('print nft JSON instead of nft text') },
  exitStatuses: [[0, 'the ruleset was printed'], [1, 'the kernel has no ruleset'], otherFailure],
  examples: [
    ['vifwatch export', 'show the ruleset'],
    ['vifwatch export > vifwatch.nft', 'keep the ruleset, for "nft -f vifwatch.nft"'],
  ],
  run: async (values) => (await import('../network/export.ts')).exportRules(values),
});

const check = command({
  path: ['check'],
  summary: 'Check the configuration and this machine',
  details: 'The command prints a line for each check; a line that says FAIL names the next step.',
  manual: 'vifwatch(8)',
  options: {
    root: optional(directory, 'check the root file system in this directory, not this machine'),
  },
  globals: ['config'],
  exitStatuses: checkStatuses,
  examples: [
    ['vifwatch check', 'check net-vm before the service starts'],
    ['vifwatch check --root build/net-vm', 'check a root file system before it is an image'],
  ],
  run: async ({ root, config }) => {
    if (root === undefined) return (await import('../network/check.ts')).check(config);
    return (await import('../host/check-root.ts')).checkNetVmRoot(root, config);
  },
});

const panic = command({
  path: ['panic'],
  summary: 'Close every vif at once',
  details: 'The command needs no daemon. Only "vifwatch resume" or a reboot ends panic mode.',
  manual: 'vifwatch(8)',
  exitStatuses: [[0, 'every vif is closed'], otherFailure],
  examples: [
    ['vifwatch panic', 'close every vif now'],
    ['vifwatch panic && vifwatch status', 'close every vif and show that panic mode is on'],
  ],
  run: async () => (await import('../network/panic.ts')).closeAll(),
});

const resume = command({
  path: ['resume'],
  summary: 'End panic mode',
  details: 'Only this or a reboot ends panic mode. The daemon sets the vifs up again.',
  manual: 'vifwatch(8)',
  exitStatuses: [[0, 'panic mode is off'], otherFailure],
  examples: [
    ['vifwatch resume', 'open the vifs again'],
    ['vifwatch check && vifwatch resume', 'open the vifs only if the check finds no fault'],
  ],
  run: async () => (await import('../network/panic.ts')).reopen(),
});

export const networkCommands = [run, status, exportRules, check, panic, resume];
