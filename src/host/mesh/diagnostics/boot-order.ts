/** Boot orders that there are not. */

import type { Diagnostic } from '../../../text/diagnostic.ts';
import { cyclesOf } from '../boot-order.ts';
import { error } from '../mesh-diagnostic.ts';
import type { MeshFile } from '../mesh-file.ts';

/** Where the file says that the one needs the other: a need that a vif implies stands with its addresses. */
const placeOf = (mesh: MeshFile, name: string, needed: string) => {
  const index = mesh.vms.get(name)?.needs.indexOf(needed) ?? -1;
  return index >= 0 ? mesh.at(['vm', name, 'needs', index]) : mesh.at(['vm', name, 'ip']);
};

export const bootOrderDiagnostics = (mesh: MeshFile): readonly Diagnostic[] => {
  const cycles = cyclesOf(mesh);
  const circular = cycles.map((cycle) => {
    const [last = '', first = ''] = cycle.slice(-2);
    const text = `${cycle.join(' -> ')}: each needs the next, and none can start`;
    return error(placeOf(mesh, last, first), `${text}; remove one of these needs`);
  });
  const driver = mesh.vms.get(mesh.net?.vm ?? '');
  if (driver === undefined || cycles.some((cycle) => cycle.includes(driver.name))) return circular;
  const early = driver.needs
    .filter((needed) => mesh.vms.has(needed))
    .map((needed) => {
      const text = `the driver domain ${driver.name} starts before all others; remove it`;
      return error(placeOf(mesh, driver.name, needed), text);
    });
  return [...circular, ...early];
};
