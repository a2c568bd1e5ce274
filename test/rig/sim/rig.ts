/** Runs programs in a started rig, from any process of its owner. */
import { execa } from 'execa';
import { openXenstore, type Xenstore } from '../../../src/xen/xenstore.ts';
import { recordingFirst } from '../../coverage/recording.ts';
import type { Output } from '../host.ts';
import { killRigProcesses, rigMark } from './rig-directory.ts';
import { startTied, type TiedProcess } from './tied-process.ts';

/** The output directory of simxen/Makefile. */
export const build = new URL('build/', import.meta.url).pathname;

export type RunOptions = {
  /** The domain in which the program runs; 0 is dom0. */
  readonly domid: number;
  /** Whether to preload libsimxen.so, which programs need for event channels, grants and libxenctrl. */
  readonly hypercalls?: boolean;
  /** The kind of process for coverage records, if it runs the bundle; see `recordingFirst`. */
  readonly recording?: string;
};

export type Rig = {
  readonly directory: string;
  /** The id of the process that holds the mount namespace. */
  readonly holder: number;
  /**
   * The command that runs a program in the rig's mount namespace, where the network namespaces have their
   * names.
   */
  inRig(argv: readonly string[]): readonly string[];
  /** The command that runs a program in a network namespace of the rig, with the namespace's /sys. */
  inNamespace(namespace: string, argv: readonly string[]): readonly string[];
  /** The environment that makes a program belong to a domain. */
  env(options: RunOptions): Record<string, string>;
  /** Runs a program to its end; does not throw on any exit status. */
  run(argv: readonly string[], options: RunOptions): Promise<Output>;
  /** Starts a program in the background; its output goes to `<name>.log` in the rig's directory. */
  start(name: string, argv: readonly string[], options: RunOptions): TiedProcess;
  /** Opens our own xenstore client as a domain. */
  open(domid: number): Xenstore;
  /** Kills all programs of a domain with SIGKILL. */
  killAll(domid: number): void;
  /** Creates or destroys domains. @throws Error if the hypervisor refuses */
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

/** Opens a connection. libxenstore reads the socket's path from the environment. */
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
  // The program could not be started, or a signal has ended it.
  if (exitCode === undefined) return { status: 127, stdout, stderr: `${result.shortMessage}` };
  return { status: exitCode, stdout, stderr };
};

/** The rig in a directory; the process `holder` holds its mount namespace. */
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
