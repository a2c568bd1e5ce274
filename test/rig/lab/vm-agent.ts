import type { Toolstack } from '../host.ts';
import { must, type Run } from './command.ts';
import type { LabHost } from './lab-host.ts';
import { endOf, runWithInput, startIn, writeFileIn } from './processes.ts';
import { until } from './until.ts';

/** A VM's call policy and services. */
export type VmAgentSpec = {
  /** The lines of its policy. */
  readonly policy: readonly string[];
  /** The texts of its scripts, by service name. */
  readonly services: Readonly<Record<string, string>>;
};

/** A line of the agent's log: the fields that the lab reads. */
export type LogLine = {
  /** Milliseconds on the VM's own clock; the clocks of two VMs differ by seconds. */
  readonly time: number;
  readonly msg: string;
  readonly peer?: string;
  readonly domid?: number;
  /** The cause of a link's end. */
  readonly by?: string;
  readonly code?: string;
  /** The milliseconds of a call. */
  readonly ms?: number;
};

/** `vifwatch agent` in a VM, and calls of programs in that VM. */
export type VmAgent = {
  readonly vm: string;
  readonly run: Run;
  /** Starts the agent without waiting until it is ready. */
  start(): Promise<void>;
  /** Kills the agent with SIGKILL, so it cannot close its links. */
  kill(): Promise<void>;
  call(target: string, service: string, input?: string): Promise<Toolstack>;
  /** Waits until `find` has an answer from the log's lines since the agent's last start. */
  says<T>(what: string, find: (log: readonly LogLine[]) => T | undefined): Promise<T>;
};

export const agentLog = '/var/log/vifwatch-agent.log';
/** The same command as in `openrc/vifwatch-agent.initd`. */
const command = ['node', '--max-semi-space-size=1', '/usr/bin/vifwatch', 'agent'];
const directory = '/etc/vifwatch';

/** Installs vifwatch, a policy and services in a VM that has just started. */
export const installAgent = async (
  host: Pick<LabHost, 'inVm'>,
  vm: string,
  { policy, services }: VmAgentSpec,
): Promise<VmAgent> => {
  const run: Run = (argv) => host.inVm(vm, argv);
  if (vm !== 'net-vm') await must(run, ['/lab/payload']);
  await writeFileIn(run, `${directory}/policy.d/50-lab.policy`, `${policy.join('\n')}\n`);
  for (const [name, text] of Object.entries(services))
    await writeFileIn(run, `${directory}/services/${name}`, text, '755');
  let pid = '';
  let past = 0;
  const lines = async (): Promise<readonly string[]> =>
    (await must(run, ['cat', agentLog])).split('\n');
  return {
    vm,
    run,
    start: async () => {
      if (pid !== '') past = (await lines()).length;
      pid = await startIn(run, command, agentLog);
    },
    kill: async () => {
      await must(run, ['kill', '-KILL', pid]);
      await endOf(run, pid);
    },
    // In the emulator a program's start takes seconds; nice lets the agent send its heartbeats meanwhile.
    call: (target, service, input = '') =>
      runWithInput(run, ['nice', 'vifwatch', 'call', target, service], input),
    says: async (what, find) => {
      let last: readonly string[] = [];
      const look = async () => {
        last = (await lines()).slice(past);
        return find(last.filter((line) => /^\{.*\}$/.test(line)).map((line) => JSON.parse(line)));
      };
      return await until(look, () => `${vm}: ${what}; its agent's log:\n${last.join('\n')}`);
    },
  };
};
