/** The commands for a whole host: its mesh, and the audit of a VM. */
import { command, type Group } from './command.ts';
import { badConfiguration, otherFailure } from './exit-status.ts';
import { directory, file, flag, required, requiredLetter } from './parameter.ts';

const audit = command({
  path: ['audit'],
  summary: "Check that dom0 is out of this VM's network and calls",
  details: 'The command reads xenstore, /proc, and the state of the daemon and the agent.',
  manual: 'vifwatch-audit(8)',
  options: { json: flag('print one JSON object instead of a table') },
  globals: ['config', 'runtime'],
  exitStatuses: [
    [0, 'no finding'],
    [1, 'at least one finding'],
    [69, 'the audit failed; standard error says why'],
  ],
  examples: [
    ['vifwatch audit', 'show the findings, each with its remedy'],
    ['vifwatch audit --json | jq -r ".findings[].code"', 'list the codes of the findings'],
  ],
  endsProcess: true, // An agent that does not answer would keep the process alive.
  run: async (values) => (await import('../host/audit.ts')).audit(values),
});

export const meshGroup: Group = {
  path: ['mesh'],
  summary: 'Check or compile the description of a whole host',
  manual: 'vifwatch-mesh(5)',
};

const mesh = required(file, 'mesh.toml, the description of the host');

const compile = command({
  path: ['mesh', 'compile'],
  summary: 'Write the files of dom0 and of all VMs of a mesh',
  details: 'If the mesh has an error, the command writes nothing.',
  manual: 'vifwatch-mesh(5)',
  arguments: { mesh },
  options: {
    output: requiredLetter(
      'o',
      directory,
      'output directory; replaces the output of an earlier compile',
    ),
  },
  exitStatuses: [
    [0, 'the files were written; there may be warnings'],
    otherFailure,
    [78, 'the mesh has an error, or DIR cannot be replaced'],
  ],
  examples: [
    ['vifwatch mesh compile mesh.toml -o out', 'write out/dom0 and out/vms'],
    [
      'vifwatch mesh compile mesh.toml -o new && diff -r out new',
      'show what a changed mesh changes',
    ],
  ],
  run: async ({ mesh, output }) => (await import('../host/mesh.ts')).compile(mesh, output),
});

const check = command({
  path: ['mesh', 'check'],
  summary: 'Print all errors and warnings of a mesh',
  details: 'Each line has file, line, column, the fault and the remedy.',
  manual: 'vifwatch-mesh(5)',
  arguments: { mesh },
  exitStatuses: [[0, 'no error; there may be warnings'], otherFailure, badConfiguration],
  examples: [
    ['vifwatch mesh check mesh.toml', 'show what is wrong'],
    [
      'vifwatch mesh check mesh.toml && vifwatch mesh compile mesh.toml -o out',
      'compile a mesh that has no error',
    ],
  ],
  run: async ({ mesh }) => (await import('../host/mesh.ts')).checkFile(mesh),
});

export const hostCommands = [audit, compile, check];
