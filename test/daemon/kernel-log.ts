/** What nftables' "log" says. */
import { readFileSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';

/** Without it, the kernel logs for its first network namespace only, which net-vm's is on Xen, but not here. */
const everyNamespace = '/proc/sys/net/netfilter/nf_log_all_netns';

export const withKernelLog = async (body: () => Promise<void>): Promise<void> => {
  const before = readFileSync(everyNamespace, 'utf8');
  writeFileSync(everyNamespace, '1');
  try {
    await body();
  } finally {
    writeFileSync(everyNamespace, before);
  }
};

/** What went there before is in the log as well. */
export const portOfItsOwn = (): number => 20_000 + Math.trunc(Math.random() * 40_000);

/** The lines about packets to a port that nobody else uses. */
export const linesAboutPort = async (port: number): Promise<readonly string[]> => {
  const { stdout } = await execa('dmesg', ['-t']);
  return stdout.split('\n').filter((line) => line.includes(`DPT=${port} `));
};
