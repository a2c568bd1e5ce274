import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Host, Toolstack } from '../host.ts';
import { openAgentLink } from './agent-link.ts';
import { applicationVms } from './application-vms.ts';
import { must, type Run } from './command.ts';
import { openDomains } from './domains.ts';
import { keepLogs } from './logs.ts';
import { writePayload } from './payload.ts';
import { type Machine, startMachine } from './qemu.ts';
import { openService } from './service.ts';
import type { Snapshot } from './snapshot.ts';
import { temporaryDirectory } from './temporary.ts';
import { type LabToolstack, openToolstack } from './toolstack.ts';

/** Real Xen in QEMU. */
export type LabHost = Omit<Host, keyof LabToolstack | 'inVm'> &
  LabToolstack & {
    /** Runs a command in a VM; no shell is involved. */
    inVm(vm: string, argv: readonly string[]): Promise<Toolstack>;
    /** Registers a VM that dom0's scripts have started; resolves with its domid when its agent answers. */
    register(vm: string): Promise<number>;
    /** Runs a command in dom0. */
    readonly inDom0: Run;
    readonly machine: Machine;
  };

/**
 * Resumes a host from the snapshot, installs the current build of vifwatch in net-vm, and keeps the
 * host's logs in a directory.
 * @throws Error if vifwatch is not built
 */
export const openLab = async (snapshot: Snapshot, logs: string): Promise<LabHost> => {
  await mkdir(logs, { recursive: true });
  const payload = join(await temporaryDirectory('payload'), 'image');
  await writePayload(payload);
  const machine = await startMachine({
    boot: snapshot.boot,
    snapshot: snapshot.image,
    payload,
    log: join(logs, 'dom0.log'),
    load: true,
  });
  const stop = async (): Promise<void> => {
    await machine.stop();
    await rm(dirname(payload), { recursive: true, force: true });
  };
  try {
    const host = await openHost(machine);
    return {
      ...host,
      close: async () => {
        try {
          await keepLogs(host, logs);
        } finally {
          await stop();
        }
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

const openHost = async (machine: Machine): Promise<Omit<LabHost, 'close'>> => {
  const link = openAgentLink(machine.agent);
  const run = (host: string, argv: readonly string[]): Promise<Toolstack> =>
    Promise.race([link.run(host, argv), endOf(machine)]);
  const inDom0: Run = (argv) => run('dom0', argv);
  const inNetVm: Run = (argv) => run('net-vm', argv);
  await must(inNetVm, ['/lab/payload']);
  const domains = openDomains(link, inDom0);
  for (const { name } of applicationVms) await domains.recall(name);
  return {
    machine,
    netVm: Number(await must(inDom0, ['xl', 'domid', 'net-vm'])),
    inDom0,
    inNetVm,
    inVm: run,
    register: domains.register,
    sendFrames: async (vm, frames) => {
      await must((argv) => run(vm, argv), ['/lab/send', 'eth0', ...frames]);
    },
    ...openToolstack(inDom0, run, domains),
    ...openService(inNetVm),
  };
};

/** Rejects when QEMU ends by itself. After the lab has ended QEMU, it never settles. */
const endOf = async (machine: Machine): Promise<never> => {
  await machine.ended;
  return new Promise(() => {});
};
