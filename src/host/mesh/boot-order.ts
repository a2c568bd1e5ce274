/** Computes the order in which the VMs start. */
import type { MeshFile } from './mesh-file.ts';
import { needsOf } from './relations.ts';

/**
 * Returns each VM's level: the length of the longest chain of its needs. The driver domain is alone in level
 * 0. The needs must not contain a cycle.
 */
export const levelsOf = (mesh: MeshFile): ReadonlyMap<string, number> => {
  const levels = new Map<string, number>();
  const first = mesh.net === undefined ? 0 : 1;
  const levelOf = (name: string): number => {
    const known = levels.get(name);
    if (known !== undefined) return known;
    const vm = mesh.vms.get(name);
    const needed = vm === undefined ? [] : needsOf(mesh, vm).map(levelOf);
    const level = name === mesh.net?.vm ? 0 : Math.max(first, ...needed.map((below) => below + 1));
    levels.set(name, level);
    return level;
  };
  for (const name of mesh.vms.keys()) levelOf(name);
  return levels;
};

/** Returns the cycles of needs. Each cycle begins and ends with the same name. */
export const cyclesOf = (mesh: MeshFile): readonly (readonly string[])[] => {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const follow = (name: string, trail: readonly string[]): void => {
    const start = trail.indexOf(name);
    if (start >= 0) {
      cycles.push([...trail.slice(start), name]);
      return;
    }
    if (done.has(name)) return;
    const vm = mesh.vms.get(name);
    for (const needed of vm === undefined ? [] : needsOf(mesh, vm)) {
      follow(needed, [...trail, name]);
    }
    done.add(name);
  };
  for (const name of [...mesh.vms.keys()].sort()) follow(name, []);
  return cycles;
};
