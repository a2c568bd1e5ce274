import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import type { BootFiles } from './images.ts';
import { openMonitor } from './monitor.ts';
import { temporaryDirectory } from './temporary.ts';

/** The snapshot's name in its disk image, which no device uses. */
export const snapshotName = 'ready';

export type MachineSpec = {
  readonly boot: BootFiles;
  /** A qcow2 image for the snapshot. */
  readonly snapshot: string;
  /** A read-only disk that dom0 attaches to the domains that run vifwatch. */
  readonly payload: string;
  /** The log file of Xen's and dom0's console. */
  readonly log: string;
  /** Whether to resume the snapshot instead of booting. */
  readonly load: boolean;
};

/** A running QEMU. */
export type Machine = {
  /** The port that dom0's agent serves. */
  readonly agent: Socket;
  /** Xen's and dom0's console. */
  readonly console: Socket;
  /** Runs a command of QEMU's monitor. @throws Error with the command's output, if it prints any */
  command(line: string): Promise<void>;
  /** Resolves when the lab has ended QEMU; rejects if QEMU ends by itself. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
};

/** Starts QEMU, which ends with this process. @throws Error if QEMU cannot start */
export const startMachine = async (spec: MachineSpec): Promise<Machine> => {
  const directory = await temporaryDirectory('qemu');
  const path = (name: string): string => join(directory, name);
  const listeners = ['console', 'agent', 'monitor'].map((name) => accept(path(name)));
  const argv = [...qemuArguments(spec.boot), ...runArguments(spec, path)];
  const tied = ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64'];
  const qemu = execa('setpriv', [...tied, ...argv], { stdin: 'ignore' });
  let stopping = false;
  const ended = qemu.then(
    () => {
      if (!stopping) throw new Error('QEMU ended by itself');
    },
    (error: Error) => {
      if (!stopping) throw error;
    },
  );
  const sockets = await Promise.race([Promise.all(listeners), ended]);
  if (sockets === undefined) throw new Error('QEMU ended at once');
  const [console, agent, monitor] = sockets as [Socket, Socket, Socket];
  const stop = async (): Promise<void> => {
    stopping = true;
    qemu.kill('SIGKILL');
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return { agent, console, command: await openMonitor(monitor), ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** The part of QEMU's command line that the snapshot depends on. */
export const qemuArguments = ({ xen, kernel, dom0, disk }: BootFiles): string[] => [
  ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-smp', '2', '-m', '3G'],
  // On a newer processor a paravirtual dom0 crashes at once. Without rdrand all kernels wait for entropy.
  ...['-cpu', 'qemu64,+rdrand'],
  ...['-nographic', '-no-reboot', '-net', 'none'],
  ...['-kernel', xen, '-append', xenOptions.join(' ')],
  ...['-initrd', `${kernel} console=hvc0 quiet ${guestOptions},${dom0}`],
  ...['-drive', `file=${disk},if=none,id=disk,format=raw,readonly=on`],
  // CD drives, because their medium may be a read-only file. dom0 calls them sr0 and sr1.
  ...['-device', 'ide-cd,bus=ide.0,drive=payload', '-device', 'ide-cd,bus=ide.1,drive=disk'],
];

const xenOptions = [
  ...['console=com1', 'com1=115200,8n1', 'loglvl=warning', 'sched=credit'],
  ...['dom0_mem=1024M,max:1024M', 'dom0_max_vcpus=1', 'spec-ctrl=no', 'xpti=no'],
];

/** Kernel parameters that avoid work which takes seconds in the emulator. */
export const guestOptions = 'mitigations=off cryptomgr.notests rodata=off norandmaps';

const runArguments = (spec: MachineSpec, path: (name: string) => string): string[] => [
  ...['-chardev', `socket,id=console,path=${path('console')},logfile=${spec.log}`],
  ...['-chardev', `socket,id=agent,path=${path('agent')}`],
  ...['-serial', 'chardev:console', '-serial', 'chardev:agent'],
  ...['-qmp', `unix:${path('monitor')}`],
  // QEMU does not write to a finished snapshot, so runs may share it.
  ...['-drive', `file=${spec.snapshot},if=none,id=snapshot,file.locking=off`],
  ...['-drive', `file=${spec.payload},if=none,id=payload,format=raw,readonly=on`],
  ...(spec.load ? ['-loadvm', snapshotName] : []),
];

/** Listens on a socket path; resolves with the first connection. */
const accept = async (path: string): Promise<Socket> => {
  const server = createServer().listen(path);
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  socket.on('error', () => socket.destroy());
  return socket;
};
