/** dom0 on the fast rig: the scripts of dom0/ and a stand-in for xl, with Alpine's ash or Debian's dash. */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';
import type { Output } from '../rig/host.ts';
import { build } from '../rig/sim/rig.ts';
import { type Sim, type StoreKind, startSim } from '../rig/sim/sim.ts';
import type { TiedProcess } from '../rig/sim/tied-process.ts';

export const shells = ['ash', 'dash'] as const;
export type Shell = (typeof shells)[number];

type Script = 'autostart' | 'recreate' | 'attend' | 'audit';

const sources = new URL('../../dom0/', import.meta.url).pathname;
const standIn = new URL('xl', import.meta.url).pathname;
const busybox = '/usr/bin/busybox';

/** All programs that the scripts may use: the ones they check for, and the ones every dom0 has. */
const applets = 'awk cat dirname grep id ip ls mkdir mkfifo readlink rm sh sort timeout tr'.split(
  ' ',
);
// Debian's busybox is built without flock; Alpine's has it.
const programs = ['chmod', 'exists', 'ls', 'read', 'rm', 'watch', 'write']
  .map((tool) => `/usr/bin/xenstore-${tool}`)
  .concat('/usr/bin/flock', standIn);

/** Level 0 is net-vm, level 1 sa-vm and mgmt-vm, level 2 workload-vm, which needs both. */
const table = [
  'vifwatch-mesh 1',
  'net net-vm',
  'vm net-vm 0 -',
  'vm sa-vm 1 0123456789abcdef0123456789abcdef',
  'vm mgmt-vm 1 -',
  'vm workload-vm 2 -',
  'need sa-vm net-vm',
  'need mgmt-vm net-vm',
  'need workload-vm sa-vm',
  'need workload-vm mgmt-vm',
  'pair sa-vm workload-vm',
  'pair net-vm workload-vm',
  'pair net-vm mgmt-vm',
  ...['sa-vm', 'mgmt-vm', 'workload-vm'].map((vm) => `reader ${vm} net-vm`),
  ...['sa-vm', 'net-vm'].map((vm) => `reader ${vm} workload-vm`),
  ...['net-vm', 'workload-vm'].map((vm) => `reader ${vm} mgmt-vm`),
  'reader workload-vm sa-vm',
  'lister net-vm',
  'address sa-vm 10.0.5.101/32',
  'address sa-vm fd00:5::101/128',
  'address mgmt-vm 10.0.6.0/24',
];

const configuration = (vm: string): string =>
  [
    `name = "${vm}"`,
    vm === 'sa-vm'
      ? 'extra = "console=hvc0 ipc_policy=0123456789abcdef0123456789abcdef"'
      : 'extra = "console=hvc0"',
    ...(['sa-vm', 'mgmt-vm'].includes(vm) ? ['vif = ["ip=10.0.5.101,backend=net-vm"]'] : []),
    '',
  ].join('\n');

export const vms = ['net-vm', 'sa-vm', 'mgmt-vm', 'workload-vm'] as const;

/** The shell command that publishes the readiness of a daemon in domain $1. */
export const becomeReady = 'xenstore-write "/local/domain/$1/data/vifwatch/ready" ready\n';

export type Dom0 = {
  readonly sim: Sim;
  /** The directory of the scripts and of the table. */
  readonly directory: string;
  /** The only directory in the scripts' PATH. */
  readonly tools: string;
  /** Runs a script in dom0, or in another domain. */
  run(script: Script, args?: readonly string[], domid?: number): Promise<Output>;
  /** Starts a script that the test may kill; its output is in its log. */
  start(script: Script, ...args: readonly string[]): TiedProcess;
  /** The command that runs a line of sh in the scripts' own shell, with their PATH and their xl. */
  shell(line: string, args?: readonly string[]): readonly string[];
  /** Runs a line of sh as a domain (default: dom0) with the machine's PATH; the line must succeed. */
  sh(line: string, domid?: number): Promise<string>;
  /** Runs a script before xl creates the VM, when the VM boots, before it shuts down, or at its power button. */
  on(when: 'create' | 'boot' | 'shutdown' | 'trigger', vm: string, line: string): void;
  /** Runs a script before each run of a tool. */
  before(tool: string, script: string): void;
  /** All nodes of xenstore with their permissions, one per line. */
  store(): Promise<readonly string[]>;
  domidOf(vm: string): number;
};

const makeTools = (directory: string, shell: Shell): void => {
  mkdirSync(directory);
  const isAlpine = shell === 'ash';
  const links = new Map(applets.map((tool) => [tool, isAlpine ? busybox : `/usr/bin/${tool}`]));
  for (const program of programs) links.set(basename(program), program);
  for (const [name, target] of links) symlinkSync(target, `${directory}/${name}`);
};

const makeScripts = (directory: string, lines: readonly string[]): void => {
  cpSync(sources, directory, { recursive: true });
  writeFileSync(`${directory}/mesh`, `${lines.join('\n')}\n`);
  mkdirSync(`${directory}/xl`);
  for (const vm of vms) writeFileSync(`${directory}/xl/${vm}.cfg`, configuration(vm));
};

/** The kind of xenstored, and a test's changes to the lines of the table. */
type Options = { readonly store?: StoreKind; readonly mesh?: (lines: string[]) => string[] };

const open = (sim: Sim, shell: Shell, lines: readonly string[]): Dom0 => {
  const directory = `${sim.directory}/dom0`;
  const tools = `${sim.directory}/tools`;
  const state = `${sim.directory}/xl`;
  makeTools(tools, shell);
  makeScripts(directory, lines);
  for (const part of ['domains', 'taken', 'create', 'boot', 'shutdown', 'trigger'])
    mkdirSync(`${state}/${part}`, { recursive: true });
  const on: Dom0['on'] = (when, vm, line) => writeFileSync(`${state}/${when}/${vm}`, line);
  on('boot', 'net-vm', becomeReady);
  const environment = [`XL_STATE=${state}`, `XL_SIMCTL=${build}simctl`];
  const inShell: Dom0['shell'] = (line, args = []) => [
    ...['/usr/bin/env', ...environment, `PATH=${tools}`],
    ...[`${tools}/sh`, '-c', line, 'sh', ...args],
  ];
  const command = (script: Script, args: readonly string[]): readonly string[] =>
    sim.inRig(inShell('exec sh "$@"', [`${directory}/${script}`, ...args]));
  const sh: Dom0['sh'] = async (line, domid = 0) => {
    const argv = sim.inRig(['env', ...environment, 'sh', '-ec', line]);
    const result = await sim.run(argv, { domid });
    if (result.status !== 0) throw new Error(`${line}: ${result.stderr}`);
    return result.stdout;
  };
  return {
    sim,
    directory,
    tools,
    sh,
    on,
    shell: inShell,
    run: (script, args = [], domid = 0) => sim.run(command(script, args), { domid }),
    start: (script, ...args) => sim.start(script, command(script, args), { domid: 0 }),
    before: (tool, script) => {
      const path = `${tools}/${tool}`;
      const real = readlinkSync(path);
      rmSync(path);
      writeFileSync(path, `#!/bin/sh\n${script}\nexec ${real} "$@"\n`, { mode: 0o755 });
    },
    store: async () => (await sh('xenstore-ls -fp /')).replaceAll(/ +\(/g, ' (').split('\n').sort(),
    domidOf: (vm) => {
      const found = readdirSync(`${state}/domains`).find(
        (domid) => readFileSync(`${state}/domains/${domid}/name`, 'utf8').trim() === vm,
      );
      if (found === undefined) throw new Error(`${vm} does not run`);
      return Number(found);
    },
  };
};

/** The domain-map entries and offer directories that xenstore has. */
export const provisions = async (dom0: Dom0): Promise<readonly string[]> =>
  (await dom0.store()).filter((line) => /^\/ipc |^\/ipc\/|\/ipc\/direct\/\d+ /.test(line));

/** The entries and directories that the table demands while all VMs run. */
export const wantedProvisions = (dom0: Dom0): readonly string[] => {
  const [net, sa, mgmt, workload] = vms.map(dom0.domidOf);
  return [
    '/ipc = "" (n0)',
    `/ipc/domain-map = "" (n0,r${net})`,
    `/ipc/domain-map/mgmt-vm = "${mgmt}" (n0,r${net})`,
    `/ipc/domain-map/net-vm = "${net}" (n0,r${workload},r${mgmt})`,
    `/ipc/domain-map/sa-vm = "${sa}" (n0,r${net},r${workload})`,
    `/ipc/domain-map/workload-vm = "${workload}" (n0,r${net},r${mgmt},r${sa})`,
    `/local/domain/${net}/ipc/direct/${mgmt} = "" (n${net},r${mgmt})`,
    `/local/domain/${net}/ipc/direct/${workload} = "" (n${net},r${workload})`,
    `/local/domain/${sa}/ipc/direct/${workload} = "" (n${sa},r${workload})`,
  ].sort();
};

/** Runs the body with a new dom0 in which no VM runs yet. */
export const withDom0 = async (
  shell: Shell,
  body: (dom0: Dom0) => Promise<void>,
  { store = 'xenstored', mesh = (lines) => lines }: Options = {},
): Promise<void> => {
  const sim = await startSim({ store });
  try {
    const dom0 = open(sim, shell, mesh([...table]));
    await dom0.sh('xenstore-write /local/domain/0/domid 0 /local/domain/0/name Domain-0');
    await body(dom0);
  } finally {
    await sim.close();
  }
};
