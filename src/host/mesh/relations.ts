/** Who has to do with whom: of the names that mesh.toml spells, those count here that are VMs of it. */
import { everyone } from '../../ipc/config/kernel-command-line.ts';
import type { MeshFile, MeshVm } from './mesh-file.ts';

export type MeshPair = { readonly server: string; readonly client: string };

/** Whether it expects that VM, or anybody. */
export const serves = ({ serve }: MeshVm, name: string): boolean =>
  serve.includes(name) || serve.includes(everyone);

/** Whether the one serves and the other connects. */
export const isPair = (server: MeshVm | undefined, client: MeshVm | undefined): boolean =>
  server !== undefined &&
  client !== undefined &&
  server !== client &&
  client.connect.includes(server.name) &&
  serves(server, client.name);

/** Whether they have a link, whichever end serves. */
export const areLinked = ({ vms }: MeshFile, vm: string, other: string): boolean =>
  isPair(vms.get(vm), vms.get(other)) || isPair(vms.get(other), vms.get(vm));

/** Of which both ends are listed; of a server of everybody, those who connect. */
export const meshPairs = ({ vms }: MeshFile): readonly MeshPair[] =>
  [...vms.values()].flatMap((server) =>
    [...vms.values()]
      .filter((client) => isPair(server, client))
      .map((client) => ({ server: server.name, client: client.name })),
  );

/** A relay is itself under its own name. */
export const relayOf = ({ vms }: MeshFile, { name, relay }: MeshVm): string | undefined => {
  const isRelay = [...vms.values()].some((vm) => vm.relay === name);
  return isRelay ? name : relay;
};

/** Whether a call has a way by a link. */
export const canLink = (mesh: MeshFile, source: MeshVm, target: MeshVm): boolean =>
  target.serve.includes(everyone) || areLinked(mesh, source.name, target.name);

/** Whether it has one by a relay that both have. */
export const canRelay = (mesh: MeshFile, source: MeshVm, target: MeshVm): boolean => {
  const relay = relayOf(mesh, source);
  return relay !== undefined && relay === relayOf(mesh, target);
};

/** Those that must run before it: a vif needs its backend. */
export const needsOf = ({ vms, net }: MeshFile, { name, needs, ip }: MeshVm): readonly string[] => {
  const implied = net !== undefined && ip.length > 0 && name !== net.vm ? [net.vm] : [];
  return [...new Set([...needs, ...implied])].filter((needed) => vms.has(needed));
};
