/** An application VM: its domain and its network namespace. */
import type { Xenstore } from '../../../src/xen/xenstore.ts';
import type { Output } from '../host.ts';
import { type DomainInfo, makeDomainTree, removeDomainTree } from './domain-tree.ts';
import type { Rig } from './rig.ts';
import { makeGuestNamespace, namespaceOf, removeGuestNamespace } from './topology.ts';

export type Guest = {
  readonly domid: number;
  run(argv: readonly string[]): Promise<Output>;
  /** Frees the domain; its devices must be gone. */
  free(): Promise<void>;
};

/** Creates the domain as libxl does, without devices. */
export const makeGuest = async (rig: Rig, dom0: Xenstore, domain: DomainInfo): Promise<Guest> => {
  const { domid } = domain;
  await Promise.all([makeGuestNamespace(rig, domid), rig.hypervisor('create', [domid])]);
  await makeDomainTree(dom0, domain);
  return {
    domid,
    run: (argv) => rig.run(rig.inNamespace(namespaceOf(domid), argv), { domid }),
    free: async () => {
      await removeDomainTree(dom0, domid);
      await rig.hypervisor('destroy', [domid]);
      await removeGuestNamespace(rig, domid);
    },
  };
};
