/** A VM's kernel command line: the user's words, and by the mesh's the agent learns whom it is linked with. */
import type { MeshFile, MeshVm } from './mesh-file.ts';
import { relayOf } from './relations.ts';

/** Whatever else a VM may say of itself. */
export const ownWords = ['ipc_serve', 'ipc_connect', 'ipc_relay', 'ipc_policy'] as const;

/**
 * A paravirtualised guest gets it in 1024 bytes with a NUL (MAX_GUEST_CMDLINE in xen/include/public/xen.h), which is less
 * than Linux itself takes (COMMAND_LINE_SIZE); libxc cuts off what is longer.
 */
export const longestCommandLine = 1023;

const listed = (names: readonly string[]): string => [...new Set(names)].sort().join(',');

/** Lists are sorted. @param hash of its call policy, if it has one */
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
