import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached, keyOf } from './cache.ts';

/** The Xen, kernel and Debian release that every domain of the lab is made of. */
const suite = 'bookworm';
const packages = [
  'busybox-static',
  'conntrack',
  'dash',
  'iproute2',
  'iputils-ping',
  'kmod',
  'libstdc++6',
  'linux-image-amd64',
  'nftables',
  'openrc',
  'util-linux',
  'xen-hypervisor-4.17-amd64',
  'xen-utils-4.17',
  'xenstore-utils',
];

/**
 * A Debian tree from which single files are taken: unpacked, not configured, never booted; with
 * this machine's Node. Needs root and Debian's archive the first time.
 */
export const debianRoot = (): Promise<string> =>
  cached('debian-root', keyOf(suite, ...packages, process.version), async (root) => {
    const include = `--include=${packages.join(',')}`;
    await execa('mmdebstrap', ['--quiet', '--variant=extract', include, suite, root]);
    await copyFile(process.execPath, join(root, 'usr/bin/node'));
    await execa('depmod', ['--basedir', root, await kernelRelease(root)]);
  });

/** The one kernel release in the tree. */
export const kernelRelease = async (root: string): Promise<string> => {
  const [release, ...others] = await readdir(join(root, 'lib/modules'));
  if (release === undefined || others.length > 0) throw new Error(`no single kernel in ${root}`);
  return release;
};
