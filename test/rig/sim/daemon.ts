/** `vifwatch run` in net-vm of the fast rig. */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Output, Signal } from '../host.ts';
import { gateway4, gateway6 } from '../host.ts';
import { startUntil } from './appearance.ts';
import { ownMain, recordingOf } from './program.ts';
import type { Rig } from './rig.ts';
import type { TiedProcess } from './tied-process.ts';

/** The same options as in openrc/vifwatch.initd. */
const nodeOptions = ['--max-semi-space-size=1', '--no-opt', '--optimize-for-size'];

const defaultConfig = `uplink = ["eth0"]
gateway = ["${gateway4}", "${gateway6}"]
`;

export type Daemon = {
  /**
   * Starts the daemon; resolves when its control socket exists, which means that it is ready.
   * @param main the release's main.js; by default this tree's
   */
  start(main?: string): Promise<void>;
  /** Replaces vifwatch.toml, which the daemon reads at its next start. */
  configure(text: string): void;
  /** Sends the daemon a signal; for SIGTERM and SIGKILL, resolves when the daemon has ended. */
  signal(signal: Signal): Promise<void>;
  /** Runs `vifwatch` with these arguments, from the release with this main.js. */
  run(args: readonly string[], main?: string): Promise<Output>;
  /** The shell command with which a person runs `vifwatch` with these arguments in net-vm. */
  commandLine(args: readonly string[]): readonly string[];
  /** The running daemon's process id. */
  pid(): number;
  /** The directory of its policies, one file per VM; it exists from the start. */
  readonly policies: string;
  /** The logs of all its runs so far. */
  log(): string;
};

/** Prepares the daemon's directories and configuration, without starting the daemon. */
export const makeDaemon = (
  rig: Rig,
  netVm: number,
  namespace: string,
  config = defaultConfig,
): Daemon => {
  const runtime = `${rig.directory}/vifwatch`;
  const configFile = `${rig.directory}/vifwatch.toml`;
  writeFileSync(configFile, config);
  const policies = `${rig.directory}/rules.d`;
  mkdirSync(policies);
  const files = ['--config', configFile, '--runtime', runtime];
  const command = (
    args: readonly string[],
    main = ownMain,
    options: readonly string[] = [],
  ): readonly string[] =>
    rig.inNamespace(namespace, [process.execPath, ...options, main, ...files, ...args]);
  let last: TiedProcess | undefined;
  const running = (): TiedProcess => {
    if (!last) throw new Error('the daemon has not been started');
    return last;
  };
  return {
    start: async (main = ownMain) => {
      last = await startUntil(`${runtime}/vifwatch.sock`, () =>
        rig.start('vifwatch', command(['run'], main, nodeOptions), {
          domid: netVm,
          ...recordingOf(main, 'daemon'),
        }),
      );
    },
    configure: (text) => writeFileSync(configFile, text),
    signal: async (signal) => {
      running().child.kill(signal);
      if (signal === 'SIGTERM' || signal === 'SIGKILL') await running().ended;
    },
    run: (args, main = ownMain) =>
      rig.run(command(args, main), {
        domid: netVm,
        ...recordingOf(main, args.slice(0, 2).join(' ')),
      }),
    commandLine: (args) => command(args),
    pid: () => running().pid,
    policies,
    log: () => running().log(),
  };
};
