import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { LabHost } from './lab-host.ts';

const consoles = '/var/log/xen';
const daemonLog = '/var/log/vifwatch.log';

/** Saves what the guests and the daemon have said; dom0's own console is saved all the time. */
export const keepLogs = async (
  { inDom0, inNetVm }: Pick<LabHost, 'inDom0' | 'inNetVm'>,
  directory: string,
): Promise<void> => {
  const { stdout: names } = await inDom0(['ls', consoles]);
  for (const name of names.trim().split('\n')) {
    const { stdout } = await inDom0(['cat', join(consoles, name)]);
    await writeFile(join(directory, name), withoutAgents(stdout));
  }
  const { stdout } = await inNetVm(['cat', daemonLog]);
  await writeFile(join(directory, basename(daemonLog)), stdout);
};

/** Leaves out what the lab itself says on the consoles. */
const withoutAgents = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('@'))
    .join('\n');
