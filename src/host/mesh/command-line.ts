/** Builds a VM's kernel command line: the operator's words, and those that tell the agent its links. */
import type { MeshFile, MeshVm } from './mesh-file.ts';
import { relayOf } from './relations.ts';

/** The words that only the mesh may add. */
export const ownWords = ['ipc_serve', 'ipc_connect', 'ipc_relay', 'ipc_policy'] as const;

/**
 * The most bytes of a command line. A paravirtualised guest has 1024 bytes for it, including a NUL
 * (MAX_GUEST_CMDLINE in xen/include/public/xen.h), and libxc cuts off the rest. Linux itself accepts more
 * (COMMAND_LINE_SIZE).
 */
export const longestCommandLine = 1023;

const listed = (names: readonly string[]): string => [...new Set(names)].sort().join(',');

/** Returns the command line; its lists of names are sorted. @param hash its call policy's hash, if any */
export const commandLineOf = (mesh: MeshFile, vm: MeshVm, hash: string | undefined): string => {
  const values: Record<(typeof ownWords)[number], string | undefined> = {
    ipc_serve: listed(vm.serve),
    ipc_connect: listed(vm.connect),
    ipc_relay: relayOf(mesh, vm),
    ipc_policy: hash,
  };
  const words = ownWords.flatMap((word) => (values[word] ? [`${word}=${values[word]}`] : []));
  return [...(vm.extra === '' ? [] : [vm.extra]), ...words].join(' ');
};
