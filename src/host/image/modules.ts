/** Checks the kernel modules of a root file system, for each kernel in its /lib/modules. */
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

/** The modules that vifwatch(8) lists. The program conntrack needs nf_conntrack_netlink. */
export const netVmModules: readonly NeededModule[] = [
  ...named('xen-netback', 'nf_tables', 'nft_ct', 'nft_fib_inet', 'nft_limit', 'nft_log'),
  ...named('nft_connlimit', 'nf_log_syslog', 'nf_conntrack', 'nf_conntrack_netlink'),
  // From these releases on, nf_tables contains them.
  { name: 'nft_counter', before: [5, 18] },
  { name: 'nft_objref', before: [6, 2] },
];

/** The modules for `masquerade` and `[[forward]]`. */
export const translationModules = named('nft_nat', 'nft_masq', 'nft_chain_nat');

/** The modules that the agent needs for vchans. */
export const agentModules = named('xen-evtchn', 'xen-gntdev', 'xen-gntalloc');

const place = '/lib/modules';

/** Returns the releases of the kernels whose modules are installed. */
export const kernelReleases = (root: string): readonly string[] => {
  if (!isThere(root, place)) return [];
  const { file, stats } = findFile(root, place);
  return stats.isDirectory() ? readdirSync(file).sort() : [];
};

/** The message for a root file system without modules. */
export const noKernel =
  `${place} has no modules: if the kernel has all of them built in, copy modules.builtin from its ` +
  `build directory to ${place}/RELEASE/; otherwise install its modules there`;

const textOf = (root: string, path: string): string =>
  isThere(root, path) ? readFileSync(findRegularFile(root, path).file, 'utf8') : '';

const indexOf = (root: string, directory: string): ModuleIndex => {
  const [builtin, dep] = [`${directory}/modules.builtin`, `${directory}/modules.dep`];
  if (!isThere(root, builtin) && !isThere(root, dep)) {
    throw new Error(`${directory} has neither modules.builtin nor modules.dep: run depmod`);
  }
  return parseModuleIndex(textOf(root, builtin), textOf(root, dep));
};

/** Checks that one kernel has all needed modules. Throws an Error that names the missing ones. */
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
    const why = 'neither built into the kernel nor present as files that modules.dep lists';
    const hint = `install them and run depmod --basedir ${root} ${release}`;
    throw new Error(`${lacking.join(', ')}: ${why}; ${hint}`);
  }
  if (areLoaded(index, needed) && !isThere(root, '/sbin/modprobe')) {
    // The kernel runs this program (/proc/sys/kernel/modprobe) to load the modules of nf_tables.
    throw new Error(
      'some modules must be loaded, but /sbin/modprobe is missing: install kmod or busybox',
    );
  }
  return `all ${needed.length} needed modules are built in or present as files`;
};
