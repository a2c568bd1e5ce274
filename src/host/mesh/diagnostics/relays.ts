/** Relays that cannot relay. */

import type { Diagnostic } from '../../../text/diagnostic.ts';
import { error } from '../mesh-diagnostic.ts';
import type { MeshFile } from '../mesh-file.ts';
import { areLinked } from '../relations.ts';

export const relayDiagnostics = (mesh: MeshFile): readonly Diagnostic[] =>
  [...mesh.vms.values()].flatMap(({ name, relay }) => {
    const via = relay === undefined ? undefined : mesh.vms.get(relay);
    if (via === undefined || via.name === name) return [];
    const at = mesh.at(['vm', name, 'relay']);
    const next = via.relay === undefined ? undefined : mesh.vms.get(via.relay);
    if (next !== undefined && next !== via) {
      const text = `${via.name} has a relay of its own, ${next.name}, and there is only one between two VMs`;
      return [error(at, `${text}; name that one, or remove it from [vm.${via.name}]`)];
    }
    if (areLinked(mesh, name, via.name)) return [];
    const remedy = 'add serve to the one and connect to the other';
    return [error(at, `${name} has no link with its relay ${via.name}; ${remedy}`)];
  });
