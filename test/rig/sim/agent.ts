/** `vifwatch agent` in a VM of the fast rig. */
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';
import type { Domid } from '../../../src/address/domid.ts';
import { domidOf } from '../../support/domid.ts';
import { startUntil } from './appearance.ts';
import { ownMain, recordingOf } from './program.ts';
import type { SimHost } from './sim-host.ts';
import type { TiedProcess } from './tied-process.ts';
import { namespaceOf } from './topology.ts';

/** The same options as in openrc/vifwatch-agent.initd. */
const nodeOptions = [...(process.env['BENCH_NODE'] ?? '--max-semi-space-size=1').split(' ')];

/** A VM's link peers, as keys of agent.toml. */
type AgentLinks = {
  readonly serve?: readonly string[];
  readonly connect?: readonly string[];
  readonly relay?: string;
};

export type AgentSpec = AgentLinks & {
  /** The main.js of the VM's first release; by default this tree's. */
  readonly main?: string;
  /** The lines of one policy file. Without it, the VM has no policy and denies every call. */
  readonly policy?: readonly string[];
  /** The texts of executable services by name; each begins with its interpreter line. */
  readonly services?: Readonly<Record<string, string>>;
  /** The services' TOML files, by name without the suffix. */
  readonly serviceConfigs?: Readonly<Record<string, string>>;
};

type Ran = {
  readonly status: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
};

export type Agent = {
  readonly domid: Domid;
  /** The agent's configuration directory. */
  readonly etc: string;
  readonly runtime: string;
  /**
   * Starts the agent; resolves when its socket exists, which means that it is ready.
   * @param main the release's main.js; by default that of the previous start
   */
  start(main?: string): Promise<void>;
  /** Sends the agent a signal; for SIGTERM and SIGKILL, resolves when the agent has ended. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Replaces agent.toml and makes the agent reload it. */
  reload(links: AgentLinks): void;
  /** Runs `vifwatch` with these arguments in this VM; does not throw on any exit status. */
  vifwatch(args: readonly string[], input?: string | Buffer): Promise<Ran>;
  pid(): number;
  log(): string;
};

const list = (names: readonly string[] = []): string => JSON.stringify(names);

const writeLinks = (etc: string, { serve, connect, relay }: AgentLinks): void => {
  const lines = [`serve = ${list(serve)}`, `connect = ${list(connect)}`];
  if (relay !== undefined) lines.push(`relay = "${relay}"`);
  // The rename makes the change atomic, because the agent may read the file at any time.
  writeFileSync(`${etc}/agent.toml.new`, `${lines.join('\n')}\n`);
  renameSync(`${etc}/agent.toml.new`, `${etc}/agent.toml`);
};

const writeSpec = (etc: string, spec: AgentSpec): void => {
  for (const directory of ['policy.d', 'services', 'services.d'])
    mkdirSync(`${etc}/${directory}`, { recursive: true });
  writeLinks(etc, spec);
  if (spec.policy) writeFileSync(`${etc}/policy.d/50-test.policy`, `${spec.policy.join('\n')}\n`);
  for (const [name, text] of Object.entries(spec.services ?? {})) {
    writeFileSync(`${etc}/services/${name}`, text);
    chmodSync(`${etc}/services/${name}`, 0o755);
  }
  for (const [name, text] of Object.entries(spec.serviceConfigs ?? {}))
    writeFileSync(`${etc}/services.d/${name}.toml`, text);
};

/**
 * Prepares an agent for a VM of the host, without starting it. Its files depend on the VM's name, not on its
 * domid.
 */
export const makeAgent = (
  { sim }: SimHost,
  { name, domid }: { readonly name: string; readonly domid: number },
  spec: AgentSpec,
): Agent => {
  const etc = `${sim.directory}/${name}/etc`;
  const runtime = `${sim.directory}/${name}/run`;
  let main = spec.main ?? ownMain;
  rmSync(`${sim.directory}/${name}`, { recursive: true, force: true });
  mkdirSync(runtime, { recursive: true });
  writeSpec(etc, spec);
  const command = (args: readonly string[], options: readonly string[] = []) =>
    sim.inNamespace(namespaceOf(domid), [
      ...[process.execPath, ...options, main],
      ...['--config', `${etc}/vifwatch.toml`, '--runtime', runtime, ...args],
    ]);
  let last: TiedProcess | undefined;
  const running = (): TiedProcess => {
    if (!last) throw new Error(`the agent of ${name} has not been started`);
    return last;
  };
  return {
    domid: domidOf(domid),
    etc,
    runtime,
    start: async (release = main) => {
      main = release;
      last = await startUntil(`${runtime}/agent.sock`, () =>
        sim.start(`agent-${name}`, command(['agent'], nodeOptions), {
          domid,
          hypercalls: true,
          ...recordingOf(main, `agent ${name}`),
        }),
      );
    },
    signal: async (signal) => {
      running().child.kill(signal);
      if (signal === 'SIGTERM' || signal === 'SIGKILL') await running().ended;
    },
    reload: (links) => {
      writeLinks(etc, links);
      running().child.kill('SIGHUP');
    },
    vifwatch: async (args, input = '') => {
      const [file = '', ...rest] = command(args);
      const { exitCode, stdout, stderr } = await execa(file, rest, {
        env: sim.env({ domid, ...recordingOf(main, args.slice(0, 2).join(' ')) }),
        encoding: 'buffer',
        reject: false,
        stripFinalNewline: false,
        input,
      });
      return {
        status: exitCode,
        stdout: Buffer.from(stdout),
        stderr: Buffer.from(stderr).toString(),
      };
    },
    pid: () => running().pid,
    log: () => running().log(),
  };
};
