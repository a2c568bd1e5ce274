/** Finds relays that cannot relay. */

import type { Diagnostic } from '../../../text/diagnostic.ts';
import { error } from '../mesh-diagnostic.ts';
import type { MeshFile } from '../mesh-file.ts';
import { areLinked } from '../relations.ts';

/** Checks the relays of all VMs. */
export const relayDiagnostics = (mesh: MeshFile): readonly Diagnostic[] =>
  [...mesh.vms.values()].flatMap(({ name, relay }) => {
    const via = relay === undefined ? undefined : mesh.vms.get(relay);
    if (via === undefined || via.name === name) return [];
    const at = mesh.at(['vm', name, 'relay']);
    const next = via.relay === undefined ? undefined : mesh.vms.get(via.relay);
    if (next !== undefined && next !== via) {
      const text = `${via.name} itself uses the relay ${next.name}, but a call passes only one relay`;
      return [error(at, `${text}; set ${next.name} here, or remove relay from [vm.${via.name}]`)];
    }
    if (areLinked(mesh, name, via.name)) return [];
    const remedy = 'add serve to one of them and connect to the other';
    return [error(at, `${name} has no link with its relay ${via.name}; ${remedy}`)];
  });
