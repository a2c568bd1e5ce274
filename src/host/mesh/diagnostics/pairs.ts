/** Finds links that only one end lists, links that are not possible, and relays that cannot relay. */
import { everyone } from '../../../ipc/config/kernel-command-line.ts';
import type { Diagnostic } from '../../../text/diagnostic.ts';
import { error } from '../mesh-diagnostic.ts';
import type { MeshFile, MeshVm } from '../mesh-file.ts';
import { areLinked, isPair, meshPairs, serves } from '../relations.ts';

const ofServe = (mesh: MeshFile, vm: MeshVm): readonly Diagnostic[] =>
  vm.serve.flatMap((name, index) => {
    const at = mesh.at(['vm', vm.name, 'serve', index]);
    if (name === vm.name) return [error(at, 'a VM does not serve itself; remove it')];
    const client = mesh.vms.get(name);
    if (name === everyone || client === undefined || client.connect.includes(vm.name)) return [];
    const remedy = `add "${vm.name}" to connect in [vm.${name}]`;
    return [error(at, `${vm.name} serves ${name}, which does not connect to it; ${remedy}`)];
  });

const ofConnect = (mesh: MeshFile, vm: MeshVm): readonly Diagnostic[] =>
  vm.connect.flatMap((name, index) => {
    const at = mesh.at(['vm', vm.name, 'connect', index]);
    if (name === vm.name) return [error(at, 'a VM does not connect to itself; remove it')];
    const server = mesh.vms.get(name);
    if (server === undefined || serves(server, vm.name)) return [];
    const remedy = `add "${vm.name}" to serve in [vm.${name}]`;
    return [error(at, `${vm.name} connects to ${name}, which does not serve it; ${remedy}`)];
  });

const inBothDirections = (mesh: MeshFile): readonly Diagnostic[] => {
  const twice = meshPairs(mesh).filter(
    ({ server, client }) => server < client && isPair(mesh.vms.get(client), mesh.vms.get(server)),
  );
  return twice.map(({ server, client }) => {
    const index = mesh.vms.get(client)?.connect.indexOf(server) ?? 0;
    const text = `${server} and ${client} serve each other, but one link carries calls in both directions`;
    return error(mesh.at(['vm', client, 'connect', index]), `${text}; remove one direction`);
  });
};

/** Checks serve and connect of all VMs. */
export const pairDiagnostics = (mesh: MeshFile): readonly Diagnostic[] => [
  ...[...mesh.vms.values()].flatMap((vm) => [...ofServe(mesh, vm), ...ofConnect(mesh, vm)]),
  ...inBothDirections(mesh),
];

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
