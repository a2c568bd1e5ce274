/** Finds vifs whose backend would not be the driver domain, and vif settings of VMs without a vif. */

import type { Diagnostic } from '../../../text/diagnostic.ts';
import { error, isDom0 } from '../mesh-diagnostic.ts';
import type { MeshFile, MeshVm } from '../mesh-file.ts';

const vifKeys = ['mac', 'profile', 'rules'] as const;

const ofVm = (mesh: MeshFile, vm: MeshVm): readonly Diagnostic[] => {
  const { name, ip, profile, rules } = vm;
  const at = (key: string) => mesh.at(['vm', name, key]);
  const isDriver = name === mesh.net?.vm;
  const hasVif = ip.length > 0;
  const diagnostics: Diagnostic[] = [];
  if (isDriver && hasVif) {
    diagnostics.push(
      error(at('ip'), `${name} is the driver domain, which has no vif in a mesh; remove ip`),
    );
  } else if (hasVif && mesh.net === undefined) {
    const remedy = 'add [net] with vm = the driver domain';
    diagnostics.push(
      error(at('ip'), `without [net], dom0 would be the backend of ${name}'s vif; ${remedy}`),
    );
  }
  if (isDriver || !hasVif) {
    const why = isDriver ? `${name} is the driver domain` : `${name} has no ip, and so no vif`;
    const given = vifKeys.filter((key) => vm[key] !== undefined);
    diagnostics.push(...given.map((key) => error(at(key), `${why}; remove ${key}`)));
  } else if (profile !== undefined && rules !== undefined) {
    const remedy = 'remove one; if you need both, set profile in the rules file';
    diagnostics.push(error(at('rules'), `${name} has both profile and rules; ${remedy}`));
  }
  return diagnostics;
};

/** Checks the vifs of all VMs, and the driver domain's name. */
export const vifDiagnostics = (mesh: MeshFile): readonly Diagnostic[] => {
  const driver = mesh.net?.vm;
  const text = `with vm = "${driver}", dom0 would be the backend of all vifs; name a VM`;
  return [
    ...(isDom0(driver) ? [error(mesh.at(['net', 'vm']), text)] : []),
    ...[...mesh.vms.values()].flatMap((vm) => ofVm(mesh, vm)),
  ];
};
