import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { applicationVms } from './application-vms.ts';
import type { LabHost } from './lab-host.ts';
import { agentLog } from './vm-agent.ts';

const consoles = '/var/log/xen';
const daemonLog = '/var/log/vifwatch.log';

/**
 * Saves the logs of the guests, the daemon and the agents; QEMU writes dom0's console to its log all the
 * time.
 */
export const keepLogs = async (
  { inDom0, inNetVm, inVm }: Pick<LabHost, 'inDom0' | 'inNetVm' | 'inVm'>,
  directory: string,
): Promise<void> => {
  const { stdout: names } = await inDom0(['ls', consoles]);
  for (const name of names.trim().split('\n')) {
    const { stdout } = await inDom0(['cat', join(consoles, name)]);
    await writeFile(join(directory, name), withoutAgents(stdout));
  }
  const { stdout } = await inNetVm(['cat', daemonLog]);
  await writeFile(join(directory, basename(daemonLog)), stdout);
  for (const vm of ['net-vm', ...applicationVms.map(({ name }) => name)]) {
    const { status, stdout: said } = await inVm(vm, ['cat', agentLog]);
    if (status === 0) await writeFile(join(directory, `${vm}-agent.log`), said);
  }
};

/** Removes the lines of the lab's own agents from a console's text. */
const withoutAgents = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('@'))
    .join('\n');
