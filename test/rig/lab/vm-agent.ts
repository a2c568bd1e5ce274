import type { Toolstack } from '../host.ts';
import { must, type Run } from './command.ts';
import type { LabHost } from './lab-host.ts';
import { endOf, runWithInput, startIn, writeFileIn } from './processes.ts';
import { until } from './until.ts';

/** What a VM lets others do. */
export type VmAgentSpec = {
  /** Lines of its policy. */
  readonly policy: readonly string[];
  /** Scripts by name. */
  readonly services: Readonly<Record<string, string>>;
};

/** A line of its log, as far as the lab reads it. */
export type LogLine = {
  /** Milliseconds by the VM's own clock: those of two VMs are seconds apart. */
  readonly time: number;
  readonly msg: string;
  readonly peer?: string;
  readonly domid?: number;
  /** Why a link ended. */
  readonly by?: string;
  readonly code?: string;
  /** How long a call took. */
  readonly ms?: number;
};

/** `vifwatch agent` in a VM, and what programs there ask of it. */
export type VmAgent = {
  readonly vm: string;
  readonly run: Run;
  /** Starts it; its log tells when it is ready. */
  start(): Promise<void>;
  /** Kills it, so that it cannot say goodbye. */
  kill(): Promise<void>;
  call(target: string, service: string, input?: string): Promise<Toolstack>;
  /** Waits until its log, from its last start on, has what is looked for. */
  says<T>(what: string, find: (log: readonly LogLine[]) => T | undefined): Promise<T>;
};

export const agentLog = '/var/log/vifwatch-agent.log';
/** As `openrc/vifwatch-agent.initd` has it. */
const command = ['node', '--max-semi-space-size=1', '/usr/bin/vifwatch', 'agent'];
const directory = '/etc/vifwatch';

/** Brings vifwatch into a VM that has just started, and what its agent needs. */
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
    // In the emulator a program's start takes seconds, for which the agent is not to be silent.
    call: (target, service, input = '') =>
      runWithInput(run, ['nice', 'vifwatch', 'call', target, service], input),
    says: async (what, find) => {
      let last: readonly string[] = [];
      const look = async () => {
        last = (await lines()).slice(past);
        return find(last.filter((line) => /^\{.*\}$/.test(line)).map((line) => JSON.parse(line)));
      };
      return await until(look, () => `${vm}: ${what}; its agent says\n${last.join('\n')}`);
    },
  };
};
