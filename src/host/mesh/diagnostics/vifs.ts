/** Vifs whose other end would be anywhere but in the driver domain, and settings of vifs that there are not. */

import type { Diagnostic } from '../../../text/diagnostic.ts';
import { error } from '../mesh-diagnostic.ts';
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
      error(at('ip'), `${name} is the driver domain: it has no vif of its own; remove ip`),
    );
  } else if (hasVif && mesh.net === undefined) {
    const remedy = 'add [net] with vm = the driver domain';
    diagnostics.push(
      error(at('ip'), `without [net] the vif of ${name} would land in dom0; ${remedy}`),
    );
  }
  if (isDriver || !hasVif) {
    const why = isDriver ? `${name} is the driver domain` : `${name} has no ip, and so no vif`;
    const given = vifKeys.filter((key) => vm[key] !== undefined);
    diagnostics.push(...given.map((key) => error(at(key), `${why}; remove ${key}`)));
  } else if (profile !== undefined && rules !== undefined) {
    const remedy = 'remove one, and write profile into the file if both are meant';
    diagnostics.push(error(at('rules'), `${name} has a profile and rules; ${remedy}`));
  }
  return diagnostics;
};

export const vifDiagnostics = (mesh: MeshFile): readonly Diagnostic[] => {
  const driver = mesh.net?.vm;
  const text = `with ${driver} as the driver domain all vifs would land in dom0; name a VM`;
  return [
    ...(driver === 'dom0' || driver === 'Domain-0' ? [error(mesh.at(['net', 'vm']), text)] : []),
    ...[...mesh.vms.values()].flatMap((vm) => ofVm(mesh, vm)),
  ];
};
