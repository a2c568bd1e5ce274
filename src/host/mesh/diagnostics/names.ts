/** Finds invalid VM names, and mentions of VMs that do not exist. */

import { everyone } from '../../../ipc/config/kernel-command-line.ts';
import { isDomainMapName } from '../../../ipc/config/vm-name.ts';
import type { Diagnostic } from '../../../text/diagnostic.ts';
import { quoted } from '../../../text/printable.ts';
import type { KeyPath } from '../../../toml/place-tree.ts';
import { error, isDom0, unknownVm } from '../mesh-diagnostic.ts';
import type { MeshFile, MeshVm } from '../mesh-file.ts';

const ofHeader = (mesh: MeshFile, { name }: MeshVm): readonly Diagnostic[] => {
  const at = mesh.at(['vm', name]);
  if (isDom0(name)) return [error(at, unknownVm(name))];
  if (/^\d+$/.test(name)) {
    return [error(at, `xl would read ${quoted(name)} as a domid; add a letter`)];
  }
  if (isDomainMapName(name)) return [];
  const rule = 'up to 63 of A-Z a-z 0-9 _ -, neither _ nor - first';
  return [error(at, `${quoted(name)} is not a valid VM name; use ${rule}`)];
};

/** Returns every mention of another VM with its place. */
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

/** Checks the VM names, and that every VM that is mentioned exists. */
export const nameDiagnostics = (mesh: MeshFile): readonly Diagnostic[] => {
  const vms = [...mesh.vms.values()];
  const { net } = mesh;
  // The diagnostics in vifs.ts report dom0 as the driver domain.
  const driver = net === undefined || isDom0(net.vm) ? [] : [[net.vm, ['net', 'vm']] as const];
  const unknown = [...vms.flatMap(mentionsOf), ...driver].filter(([name]) => !mesh.vms.has(name));
  return [
    ...vms.flatMap((vm) => ofHeader(mesh, vm)),
    ...unknown.map(([name, path]) => error(mesh.at(path), unknownVm(name))),
  ];
};
