import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type AgentLink, openAgentLink } from './agent-link.ts';
import { applicationVms } from './application-vms.ts';
import { cached, keyOf } from './cache.ts';
import { must, type Run } from './command.ts';
import { openDomains } from './domains.ts';
import { type BootFiles, bootFiles } from './images.ts';
import { writeBlankPayload } from './payload.ts';
import { qemuArguments, snapshotName, startMachine } from './qemu.ts';
import { openToolstack } from './toolstack.ts';

/** The saved state of a freshly booted host: Xen, dom0, net-vm and the application VMs are up. */
export type Snapshot = {
  readonly boot: BootFiles;
  /** A qcow2 image. */
  readonly image: string;
  /** Seconds from QEMU's start until all domains are ready. */
  readonly bootSeconds: number;
};

/** Boots the host and saves its state, or finds the snapshot in the cache. */
export const readySnapshot = async (): Promise<Snapshot> => {
  const boot = await bootFiles();
  const { stdout: version } = await execa('qemu-system-x86_64', ['--version']);
  const directory = await cached('snapshot', keyOf(version, ...qemuArguments(boot)), (made) =>
    makeSnapshot(boot, made),
  );
  const bootSeconds = Number(await readFile(join(directory, 'boot-seconds'), 'utf8'));
  return { boot, image: join(directory, 'snapshot.qcow2'), bootSeconds };
};

const makeSnapshot = async (boot: BootFiles, directory: string): Promise<void> => {
  const snapshot = join(directory, 'snapshot.qcow2');
  const payload = join(directory, 'blank');
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', snapshot, '4G']);
  await writeBlankPayload(payload);
  const began = performance.now();
  const log = join(directory, 'boot.log');
  const machine = await startMachine({ boot, snapshot, payload, log, load: false });
  try {
    const link = openAgentLink(machine.agent);
    await Promise.race([bringUp(link), machine.ended]);
    const seconds = (performance.now() - began) / 1000;
    await machine.command(`savevm ${snapshotName}`);
    await writeFile(join(directory, 'boot-seconds'), seconds.toFixed(1));
  } finally {
    await machine.stop();
  }
};

const bringUp = async (link: AgentLink): Promise<void> => {
  const inDom0: Run = (argv) => link.run('dom0', argv);
  await link.started('dom0');
  const domains = openDomains(link, inDom0);
  const { create } = openToolstack(inDom0, link.run, domains);
  const createNetVm = (): Promise<string> =>
    must(inDom0, ['xl', 'create', '-q', '/etc/xen/net-vm.cfg']);
  await domains.start('net-vm', createNetVm);
  await Promise.all(applicationVms.map(create));
  // A first start of Node fills the page caches of the VMs' kernels, so no run has to wait for the disk.
  for (const vm of ['net-vm', ...applicationVms.map(({ name }) => name)]) {
    await must((argv) => link.run(vm, argv), ['node', '--eval', '0']);
  }
};
