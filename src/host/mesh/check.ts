/** Checks a mesh, and builds the checked `Mesh` if it has no errors. */

import { parseMac } from '../../address/mac.ts';
import { type Prefix, parsePrefix } from '../../address/prefix.ts';
import type { VmName } from '../../ipc/config/vm-name.ts';
import type { Diagnostic } from '../../text/diagnostic.ts';
import { levelsOf } from './boot-order.ts';
import { commandLineOf } from './command-line.ts';
import { addressDiagnostics, forwardDiagnostics } from './diagnostics/addresses.ts';
import { bootOrderDiagnostics } from './diagnostics/boot-order.ts';
import { callPolicyDiagnostics } from './diagnostics/call-policies.ts';
import { commandLineDiagnostics } from './diagnostics/command-lines.ts';
import { nameDiagnostics } from './diagnostics/names.ts';
import { networkPolicyDiagnostics } from './diagnostics/network-policies.ts';
import { pairDiagnostics, relayDiagnostics } from './diagnostics/pairs.ts';
import { vifDiagnostics } from './diagnostics/vifs.ts';
import { xlConfigDiagnostics } from './diagnostics/xl-configs.ts';
import { listersOf, readersOf } from './domain-map-acl.ts';
import type { Mesh, Vm } from './mesh.ts';
import { inOrder } from './mesh-diagnostic.ts';
import type { MeshVm } from './mesh-file.ts';
import { type Subsets, subsetsFor } from './policy-subset.ts';
import { meshPairs, needsOf } from './relations.ts';
import type { Sources } from './sources.ts';

const diagnosticsOf = (sources: Sources, subsets: Subsets): readonly Diagnostic[] => [
  ...nameDiagnostics(sources.mesh),
  ...addressDiagnostics(sources.mesh),
  ...forwardDiagnostics(sources.mesh),
  ...pairDiagnostics(sources.mesh),
  ...bootOrderDiagnostics(sources.mesh),
  ...vifDiagnostics(sources.mesh),
  ...relayDiagnostics(sources.mesh),
  ...xlConfigDiagnostics(sources),
  ...networkPolicyDiagnostics(sources),
  ...callPolicyDiagnostics(sources, subsets),
  ...commandLineDiagnostics(sources, subsets),
];

/** Builds the mesh. The casts are safe, because the names, addresses and files have been checked. */
const meshOf = ({ mesh, files }: Sources, subsets: Subsets): Mesh => {
  const levels = levelsOf(mesh);
  const readers = readersOf(mesh);
  const named = (names: readonly string[]): readonly VmName[] => names as readonly VmName[];
  const textOf = (file: string | undefined): string | undefined => {
    const source = file === undefined ? undefined : files.get(file);
    return source?.kind === 'text' ? source.text : undefined;
  };
  const vmOf = (vm: MeshVm): Vm => {
    const policy = subsets.get(vm.name);
    return {
      name: vm.name as VmName,
      level: levels.get(vm.name) ?? 0,
      needs: named([...needsOf(mesh, vm)].sort()),
      readers: named(readers.get(vm.name) ?? []),
      config: textOf(vm.config) ?? '',
      commandLine: commandLineOf(mesh, vm, policy?.hash),
      addresses: vm.ip.map((text) => parsePrefix(text) as Prefix),
      mac: vm.mac === undefined ? undefined : parseMac(vm.mac),
      network: textOf(vm.rules) ?? (vm.profile && `profile = "${vm.profile}"\n`),
      policy,
    };
  };
  const vms = [...mesh.vms.values()].map(vmOf);
  return {
    net: mesh.net && { ...mesh.net, vm: mesh.net.vm as VmName },
    vms: vms.sort((a, b) => a.level - b.level || (a.name < b.name ? -1 : 1)),
    pairs: meshPairs(mesh) as Mesh['pairs'],
    listers: named(listersOf(mesh)),
  };
};

export type Checked = {
  /** Sorted by place: first those in mesh.toml. */
  readonly diagnostics: readonly Diagnostic[];
  /** Undefined if one of them is an error. */
  readonly mesh: Mesh | undefined;
};

/** Checks the sources; returns all diagnostics, and the mesh if none of them is an error. */
export const checkMesh = (sources: Sources): Checked => {
  const { mesh, policy } = sources;
  const subsets = subsetsFor(policy === undefined ? [] : mesh.vms.keys(), policy?.rules ?? []);
  const diagnostics = inOrder(diagnosticsOf(sources, subsets), mesh.file);
  const isSound = diagnostics.every(({ severity }) => severity === 'warning');
  return { diagnostics, mesh: isSound ? meshOf(sources, subsets) : undefined };
};
