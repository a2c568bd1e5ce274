/** The simulated host: hypervisor, xenstored and a mount namespace. All of them end with this process. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { startUntil } from './appearance.ts';
import { build, environment, type Rig, rigAt } from './rig.ts';
import { endRecording, makeRigDirectory, removeRig } from './rig-directory.ts';
import { startTied, type TiedProcess } from './tied-process.ts';

const xenBinaries = '/usr/lib/xen-4.17/bin';

export type StoreKind = 'xenstored' | 'oxenstored';
export type SimOptions = {
  readonly store: StoreKind;
  /** Limits per domain; Xen's defaults are 1000 nodes and 128 (xenstored) or 100 (oxenstored) watches. */
  readonly quota?: { readonly nodes: number; readonly watches: number };
};

export type Sim = Rig & {
  readonly xenstored: TiedProcess;
  /** Ends all processes of the rig and removes its files. */
  close(): Promise<void>;
};

/**
 * xenstored's memory limit per node of the quota. The memory covers nodes, watches and pending replies; by
 * default it is 2 MB, and a domain that exceeds it gets no further answers.
 */
const bytesPerNode = 1_000;

const storeCommand = (directory: string, { store, quota }: SimOptions): readonly string[] => {
  if (store === 'xenstored') {
    const limits = quota
      ? [
          '-E',
          `${quota.nodes}`,
          '-W',
          `${quota.watches}`,
          '-Q',
          `memory=${quota.nodes * bytesPerNode}`,
        ]
      : [];
    return [`${xenBinaries}/xenstored`, '--no-fork', '--internal-db=on', ...limits];
  }
  const config = `${directory}/oxenstored.conf`;
  const limits = quota
    ? [`quota-maxentity = ${quota.nodes}`, `quota-maxwatch = ${quota.watches}`]
    : [];
  const settings = [
    'persistent = false',
    `xenstored-kva = ${directory}/xsd_kva`,
    `xenstored-port = ${directory}/xsd_port`,
    ...limits,
  ];
  writeFileSync(config, `${settings.join('\n')}\n`);
  return [`${xenBinaries}/oxenstored`, '--no-fork', '--config-file', config];
};

/** Starts simxend, which also holds the rig's mount namespace. */
const startHypervisor = (directory: string): Promise<TiedProcess> => {
  const argv = ['unshare', '--mount', '--propagation', 'private', '--', `${build}simxend`];
  const env = environment(directory, { domid: 0 });
  return startUntil(`${directory}/ready`, () =>
    startTied(argv, { env, logFile: `${directory}/simxend.log` }),
  );
};

/**
 * Mounts empty directories, so the rig shares no lock, socket, log or namespace name with other rigs or the
 * machine.
 */
const emptyDirectories = async (rig: Rig): Promise<void> => {
  const commands = [
    ...['/run', '/var/log'].map((where) => ['mount', '-t', 'tmpfs', 'rig', where]),
    ['mkdir', '/run/xen', '/var/log/xen'],
  ];
  for (const command of commands) {
    const { status, stderr } = await rig.run(rig.inRig(command), { domid: 0 });
    if (status !== 0) throw new Error(stderr);
  }
};

/** Starts a host without domains, which takes some 50 ms. */
export const startSim = async (options: SimOptions): Promise<Sim> => {
  const directory = makeRigDirectory();
  try {
    const hypervisor = await startHypervisor(directory);
    const rig = rigAt(directory, hypervisor.pid);
    await emptyDirectories(rig);
    mkdirSync(`${directory}/vifwatch`);
    const command = rig.inRig(storeCommand(directory, options));
    const xenstored = await startUntil(`${directory}/listening`, () =>
      rig.start(options.store, command, { domid: 0, hypercalls: true }),
    );
    const close = async (): Promise<void> => {
      await endRecording(directory);
      await Promise.all([xenstored.kill(), hypervisor.kill()]);
      removeRig(directory);
    };
    return { ...rig, xenstored, close };
  } catch (error) {
    removeRig(directory);
    throw error;
  }
};
