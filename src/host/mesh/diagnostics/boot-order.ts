/** Finds impossible boot orders. */

import type { Diagnostic } from '../../../text/diagnostic.ts';
import { cyclesOf } from '../boot-order.ts';
import { error } from '../mesh-diagnostic.ts';
import type { MeshFile } from '../mesh-file.ts';

/** Returns the place of a need in the file. A vif implies a need; its place is the vif's addresses. */
const placeOf = (mesh: MeshFile, name: string, needed: string) => {
  const needs = mesh.vms.get(name)?.needs ?? [];
  return needs.includes(needed)
    ? mesh.at(['vm', name, 'needs', needs.indexOf(needed)])
    : mesh.at(['vm', name, 'ip']);
};

/** Reports cycles of needs, and needs of the driver domain. */
export const bootOrderDiagnostics = (mesh: MeshFile): readonly Diagnostic[] => {
  const cycles = cyclesOf(mesh);
  const circular = cycles.map((cycle) => {
    const [last = '', first = ''] = cycle.slice(-2);
    const text = `${cycle.join(' -> ')}: each needs the next, so none can start`;
    return error(placeOf(mesh, last, first), `${text}; remove one of these needs`);
  });
  const driver = mesh.vms.get(mesh.net?.vm ?? '');
  if (driver === undefined || cycles.some((cycle) => cycle.includes(driver.name))) return circular;
  const early = driver.needs
    .filter((needed) => mesh.vms.has(needed))
    .map((needed) => {
      const text = `the driver domain ${driver.name} starts first, and so cannot need another VM; remove it`;
      return error(placeOf(mesh, driver.name, needed), text);
    });
  return [...circular, ...early];
};
