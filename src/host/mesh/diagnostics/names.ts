/** Names that are none, and VMs that there are not. */

import { everyone } from '../../../ipc/config/kernel-command-line.ts';
import { isDomainMapName } from '../../../ipc/config/vm-name.ts';
import type { Diagnostic } from '../../../text/diagnostic.ts';
import { quoted } from '../../../text/printable.ts';
import type { KeyPath } from '../../../toml/toml-places.ts';
import { error, unknownVm } from '../mesh-diagnostic.ts';
import type { MeshFile, MeshVm } from '../mesh-file.ts';

const isDom0 = (name: string): boolean => name === 'dom0' || name === 'Domain-0';

const ofHeader = (mesh: MeshFile, { name }: MeshVm): readonly Diagnostic[] => {
  const at = mesh.at(['vm', name]);
  if (isDom0(name)) {
    return [error(at, `${name} is no VM of a mesh: it takes no part in anything; remove it`)];
  }
  if (/^\d+$/.test(name)) {
    return [error(at, `xl takes ${quoted(name)} for a domid; add a letter`)];
  }
  if (isDomainMapName(name)) return [];
  const rule = 'up to 63 of A-Z a-z 0-9 _ -, neither _ nor - first';
  return [error(at, `${quoted(name)} is not the name of a VM; use ${rule}`)];
};

/** Every mention of another VM, and where. */
const mentionsOf = ({
  name,
  serve,
  connect,
  needs,
  relay,
}: MeshVm): (readonly [string, KeyPath])[] => {
  const list = (key: string, names: readonly string[]) =>
    names.map((mention, index) => [mention, ['vm', name, key, index]] as const);
  return [
    ...list('serve', serve).filter(([mention]) => mention !== everyone),
    ...list('connect', connect),
    ...list('needs', needs),
    ...(relay === undefined ? [] : [[relay, ['vm', name, 'relay']] as const]),
  ];
};

export const nameDiagnostics = (mesh: MeshFile): readonly Diagnostic[] => {
  const vms = [...mesh.vms.values()];
  const { net } = mesh;
  // dom0 as the driver domain is the matter of vifs.ts.
  const driver = net === undefined || isDom0(net.vm) ? [] : [[net.vm, ['net', 'vm']] as const];
  const unknown = [...vms.flatMap(mentionsOf), ...driver].filter(([name]) => !mesh.vms.has(name));
  return [
    ...vms.flatMap((vm) => ofHeader(mesh, vm)),
    ...unknown.map(([name, path]) => error(mesh.at(path), unknownVm(name))),
  ];
};
