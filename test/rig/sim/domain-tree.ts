/** The xenstore nodes that libxl makes for a domain, with libxl's permissions. */
import type { Permission, Xenstore } from '../../../src/xen/xenstore.ts';
import { removeNode } from './node-state.ts';

const nobody = (owner: number): Permission => ({ domid: owner, read: false, write: false });

/** Permissions: owned by `owner`, readable by `reader`, inaccessible to other domains. */
export const ownedBy = (owner: number, reader: number): readonly Permission[] => [
  nobody(owner),
  { domid: reader, read: true, write: false },
];

const readableByAll: readonly Permission[] = [{ domid: 0, read: true, write: false }];

export type DomainInfo = {
  readonly domid: number;
  readonly name: string;
  /** `driver_domain=1` in the xl configuration. */
  readonly driverDomain?: boolean;
};

/** Makes dom0's own nodes, once per host and before the first domain. */
export const makeDom0Tree = (dom0: Xenstore): Promise<void> =>
  dom0.transaction(async (tx) => {
    await dom0.write('/local/domain/0/domid', '0', tx);
    await dom0.write('/local/domain/0/name', 'Domain-0', tx);
    await dom0.write('/ipc', '', tx);
    await dom0.setPermissions('/ipc', readableByAll, tx);
    await dom0.write('/ipc/domain-map', '', tx);
    await dom0.setPermissions('/ipc/domain-map', readableByAll, tx);
  });

/** Writes the nodes that libxl__domain_make and libxl__build_post write, and the VM's domain-map entry. */
export const makeDomainTree = (dom0: Xenstore, domain: DomainInfo): Promise<void> => {
  const { domid, name } = domain;
  const root = `/local/domain/${domid}`;
  const readOnly = { device: '', control: '', cpu: '', memory: '', name, domid: `${domid}` };
  const own = ['control/shutdown', 'control/sysrq', 'data', 'drivers', 'feature', 'attr', 'error'];
  if (domain.driverDomain) own.push('libxl', 'device-model');

  return dom0.transaction(async (tx) => {
    const make = (path: string, value: string, permissions: readonly Permission[]) => [
      dom0.write(path, value, tx),
      dom0.setPermissions(path, permissions, tx),
    ];
    await Promise.all([
      removeNode(dom0, root, tx),
      ...make(root, '', ownedBy(0, domid)),
      ...make(`/libxl/${domid}`, '', [nobody(0)]),
      dom0.write(`/libxl/${domid}/type`, 'pvh', tx),
      ...Object.entries(readOnly).flatMap(([node, value]) =>
        make(`${root}/${node}`, value, ownedBy(0, domid)),
      ),
      ...own.flatMap((node) => make(`${root}/${node}`, '', [nobody(domid)])),
    ]);
    await dom0.write(`/ipc/domain-map/${name}`, `${domid}`, tx);
  });
};

/** Removes the domain's nodes; its devices must be gone. */
export const removeDomainTree = (dom0: Xenstore, domid: number): Promise<void> =>
  dom0.transaction(async (tx) => {
    await dom0.remove(`/local/domain/${domid}`, tx);
    await dom0.remove(`/libxl/${domid}`, tx);
  });
