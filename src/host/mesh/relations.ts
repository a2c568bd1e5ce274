/** The relations between the VMs of mesh.toml. Names that are not VMs of the mesh are ignored. */
import { everyone } from '../../ipc/config/kernel-command-line.ts';
import type { MeshFile, MeshVm } from './mesh-file.ts';

type MeshPair = { readonly server: string; readonly client: string };

/** True if the VM serves the named VM, or everyone. */
export const serves = ({ serve }: MeshVm, name: string): boolean =>
  serve.includes(name) || serve.includes(everyone);

/** True if `server` serves `client` and `client` connects to `server`. */
export const isPair = (server: MeshVm | undefined, client: MeshVm | undefined): boolean =>
  server !== undefined &&
  client !== undefined &&
  server !== client &&
  client.connect.includes(server.name) &&
  serves(server, client.name);

/** True if the two VMs have a link, whichever end serves. */
export const areLinked = ({ vms }: MeshFile, vm: string, other: string): boolean =>
  isPair(vms.get(vm), vms.get(other)) || isPair(vms.get(other), vms.get(vm));

/** Returns all links that both ends list. A server of everyone lists every VM that connects to it. */
export const meshPairs = ({ vms }: MeshFile): readonly MeshPair[] =>
  [...vms.values()].flatMap((server) =>
    [...vms.values()]
      .filter((client) => isPair(server, client))
      .map((client) => ({ server: server.name, client: client.name })),
  );

/** Returns the VM's relay. A VM that others use as their relay is its own relay. */
export const relayOf = ({ vms }: MeshFile, { name, relay }: MeshVm): string | undefined => {
  const isRelay = [...vms.values()].some((vm) => vm.relay === name);
  return isRelay ? name : relay;
};

/** True if calls from `source` can reach `target` over a direct link. */
export const canLink = (mesh: MeshFile, source: MeshVm, target: MeshVm): boolean =>
  target.serve.includes(everyone) || areLinked(mesh, source.name, target.name);

/** True if `source` and `target` have the same relay. */
export const canRelay = (mesh: MeshFile, source: MeshVm, target: MeshVm): boolean => {
  const relay = relayOf(mesh, source);
  return relay !== undefined && relay === relayOf(mesh, target);
};

/** Returns the VMs that must run before the VM. A vif needs the driver domain. */
export const needsOf = ({ vms, net }: MeshFile, { name, needs, ip }: MeshVm): readonly string[] => {
  const implied = net !== undefined && ip.length > 0 && name !== net.vm ? [net.vm] : [];
  return [...new Set([...needs, ...implied])].filter((needed) => vms.has(needed));
};
