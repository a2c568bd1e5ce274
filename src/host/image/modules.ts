/** The kernel modules of a root file system, for each kernel that it has modules of. */
import { readdirSync, readFileSync } from 'node:fs';
import { findFile, findRegularFile, isThere } from './find-file.ts';
import {
  areLoaded,
  lackingModules,
  type ModuleIndex,
  type NeededModule,
  parseModuleIndex,
} from './module-index.ts';

const named = (...names: readonly string[]): readonly NeededModule[] =>
  names.map((name) => ({ name }));

/** As vifwatch(8) lists them; nf_conntrack_netlink is what conntrack talks to. */
export const netVmModules: readonly NeededModule[] = [
  ...named('xen-netback', 'nf_tables', 'nft_ct', 'nft_fib_inet', 'nft_limit', 'nft_log'),
  ...named('nf_log_syslog', 'nf_conntrack', 'nf_conntrack_netlink'),
  // Parts of nf_tables since then.
  { name: 'nft_counter', before: [5, 18] },
  { name: 'nft_objref', before: [6, 2] },
];

/** For `masquerade` and `[[forward]]`. */
export const translationModules = named('nft_nat', 'nft_masq', 'nft_chain_nat');

export const agentModules = named('xen-evtchn', 'xen-gntdev', 'xen-gntalloc');

const place = '/lib/modules';

/** The kernels whose modules are there. */
export const kernelReleases = (root: string): readonly string[] => {
  if (!isThere(root, place)) return [];
  const { file, stats } = findFile(root, place);
  return stats.isDirectory() ? readdirSync(file).sort() : [];
};

export const noKernel =
  `${place} has no modules: if the kernel has all of them built in, it says so in modules.builtin: ` +
  `copy that from where it was built to ${place}/RELEASE/; else install its modules there`;

const textOf = (root: string, path: string): string =>
  isThere(root, path) ? readFileSync(findRegularFile(root, path).file, 'utf8') : '';

const indexOf = (root: string, directory: string): ModuleIndex => {
  const [builtin, dep] = [`${directory}/modules.builtin`, `${directory}/modules.dep`];
  if (!isThere(root, builtin) && !isThere(root, dep)) {
    throw new Error(`${directory} has neither modules.builtin nor modules.dep: run depmod`);
  }
  return parseModuleIndex(textOf(root, builtin), textOf(root, dep));
};

/** Throws an Error that names those that are missing. */
export const inspectModules = (
  root: string,
  release: string,
  needed: readonly NeededModule[],
): string => {
  const directory = `${place}/${release}`;
  const index = indexOf(root, directory);
  const isFile = (path: string): boolean =>
    isThere(root, path.startsWith('/') ? path : `${directory}/${path}`);
  const lacking = lackingModules(release, index, needed, isFile);
  if (lacking.length > 0) {
    const why = 'neither built in nor there as files that modules.dep lists';
    const hint = `install them and run depmod --basedir ${root} ${release}`;
    throw new Error(`${lacking.join(', ')}: ${why}; ${hint}`);
  }
  if (areLoaded(index, needed) && !isThere(root, '/sbin/modprobe')) {
    // /proc/sys/kernel/modprobe: the kernel itself loads those of nf_tables by it.
    throw new Error(
      'some are to be loaded, and /sbin/modprobe is missing: install kmod or busybox',
    );
  }
  return `all ${needed.length} that are needed, built in or as files`;
};
