/** Computes which VMs may read which entries of the domain map. */
import { everyone } from '../../ipc/config/kernel-command-line.ts';
import type { MeshFile, MeshVm } from './mesh-file.ts';
import { areLinked, relayOf } from './relations.ts';

const isServerOfAll = ({ serve }: MeshVm): boolean => serve.includes(everyone);

/** Returns, by VM name, who may read the VM's entry: always the VM itself and the driver domain. */
export const readersOf = (mesh: MeshFile): ReadonlyMap<string, readonly string[]> => {
  const vms = [...mesh.vms.values()];
  const relays = new Map(vms.map((vm) => [vm.name, relayOf(mesh, vm)]));
  const shareRelay = (vm: MeshVm, other: MeshVm): boolean => {
    const relay = relays.get(vm.name);
    return relay !== undefined && relay === relays.get(other.name);
  };
  const mayRead = (reader: MeshVm, vm: MeshVm): boolean =>
    reader === vm ||
    reader.name === mesh.net?.vm ||
    isServerOfAll(reader) ||
    isServerOfAll(vm) ||
    areLinked(mesh, reader.name, vm.name) ||
    shareRelay(reader, vm);
  const readers = (vm: MeshVm): string[] =>
    vms.filter((reader) => mayRead(reader, vm)).map(({ name }) => name);
  return new Map(vms.map((vm) => [vm.name, readers(vm).sort()]));
};

/** Returns the VMs that may list the map: they must find VMs that their configuration does not name. */
export const listersOf = (mesh: MeshFile): readonly string[] =>
  [...mesh.vms.values()]
    .filter((vm) => vm.name === mesh.net?.vm || isServerOfAll(vm) || relayOf(mesh, vm) === vm.name)
    .map(({ name }) => name)
    .sort();
