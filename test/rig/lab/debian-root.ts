import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached, keyOf } from './cache.ts';

/** The Debian release that provides Xen, the kernel and the programs of every domain. */
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
 * Unpacks a Debian tree, with this machine's Node, as a source of single files; the tree is neither
 * configured nor booted. The first call needs root and Debian's archive.
 */
export const debianRoot = (): Promise<string> =>
  cached('debian-root', keyOf(suite, ...packages, process.version), async (root) => {
    const include = `--include=${packages.join(',')}`;
    await execa('mmdebstrap', ['--quiet', '--variant=extract', include, suite, root]);
    await copyFile(process.execPath, join(root, 'usr/bin/node'));
    await execa('depmod', ['--basedir', root, await kernelRelease(root)]);
  });

/** The release of the only kernel in the tree. */
export const kernelRelease = async (root: string): Promise<string> => {
  const [release, ...others] = await readdir(join(root, 'lib/modules'));
  if (release === undefined || others.length > 0) throw new Error(`no single kernel in ${root}`);
  return release;
};
