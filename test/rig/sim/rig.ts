/** How programs run in a rig that has been started, for any process of its owner. */
import { execa } from 'execa';
import { openXenstore, type Xenstore } from '../../../src/xen/xenstore.ts';
import { recordingFirst } from '../../coverage/recording.ts';
import type { Output } from '../host.ts';
import { killRigProcesses, rigMark } from './rig-directory.ts';
import { startTied, type TiedProcess } from './tied-process.ts';

/** What simxen/Makefile makes. */
export const build = new URL('build/', import.meta.url).pathname;

export type RunOptions = {
  /** Which domain's xenstore connection the program gets; 0 is dom0. */
  readonly domid: number;
  /** Run it under libsimxen.so, as whatever uses event channels, grants or libxenctrl must be. */
  readonly hypercalls?: boolean;
  /** The kind of process, if it runs the bundle and is to record which code it runs: see `recordingFirst`. */
  readonly recording?: string;
};

export type Rig = {
  readonly directory: string;
  /** The process that holds the mount namespace. */
  readonly holder: number;
  /** A program in the rig's mount namespace, where the network namespaces have their names. */
  inRig(argv: readonly string[]): readonly string[];
  /** A program in a network namespace of the rig; /sys is the namespace's own. */
  inNamespace(namespace: string, argv: readonly string[]): readonly string[];
  /** The environment that makes a program one of that domain. */
  env(options: RunOptions): Record<string, string>;
  /** Runs a program to its end; whatever its exit status, this does not throw. */
  run(argv: readonly string[], options: RunOptions): Promise<Output>;
  /** Starts a program that runs on; its output goes to `<name>.log` in the rig's directory. */
  start(name: string, argv: readonly string[], options: RunOptions): TiedProcess;
  /** Our own xenstore client, as one of that domain. */
  open(domid: number): Xenstore;
  /** SIGKILL for all programs of that domain. */
  killAll(domid: number): void;
  /** What libxl asks of the hypervisor; throws if it refuses. */
  hypervisor(operation: 'create' | 'destroy', domids: readonly number[]): Promise<void>;
};

const connectionOf = (directory: string, domid: number): string =>
  domid === 0 ? `${directory}/socket` : `${directory}/dom${domid}`;

export const environment = (
  directory: string,
  { domid, hypercalls, recording }: RunOptions,
): Record<string, string> => ({
  ...rigMark(directory),
  LC_ALL: 'C',
  SIMXEN: directory,
  SIMXEN_DOMID: `${domid}`,
  XENSTORED_RUNDIR: directory,
  XENSTORED_PATH: connectionOf(directory, domid),
  ...(hypercalls ? { LD_PRELOAD: `${build}libsimxen.so` } : {}),
  ...(recording === undefined ? {} : recordingFirst(recording)),
});

/** libxenstore looks at the environment when it opens. */
const openAt = (path: string): Xenstore => {
  Object.assign(process.env, { XENSTORED_PATH: path });
  return openXenstore();
};

const run: (argv: readonly string[], env: Record<string, string>) => Promise<Output> = async (
  [file = '', ...args],
  env,
) => {
  const result = await execa(file, args, {
    env,
    reject: false,
    stdin: 'ignore',
    stripFinalNewline: false,
  });
  const { exitCode, stdout, stderr } = result;
  // Not started, or killed.
  if (exitCode === undefined) return { status: 127, stdout, stderr: `${result.shortMessage}` };
  return { status: exitCode, stdout, stderr };
};

/** The rig in that directory, whose mount namespace is that process's. */
export const rigAt = (directory: string, holder: number): Rig => {
  const inRig: Rig['inRig'] = (argv) => [
    'nsenter',
    '--mount',
    '--target',
    `${holder}`,
    '--',
    ...argv,
  ];
  const env: Rig['env'] = (options) => environment(directory, options);
  return {
    directory,
    holder,
    inRig,
    inNamespace: (namespace, argv) => inRig(['ip', 'netns', 'exec', namespace, ...argv]),
    env,
    run: (argv, options) => run(argv, env(options)),
    start: (name, argv, options) =>
      startTied(argv, { env: env(options), logFile: `${directory}/${name}.log` }),
    open: (domid) => openAt(connectionOf(directory, domid)),
    killAll: (domid) => killRigProcesses(directory, `SIMXEN_DOMID=${domid}`),
    hypervisor: async (operation, domids) => {
      const argv = [`${build}simctl`, operation, ...domids.map(String)];
      const { status, stderr } = await run(argv, env({ domid: 0 }));
      if (status !== 0) throw new Error(stderr);
    },
  };
};
