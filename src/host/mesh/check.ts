/** All that is wrong with a mesh; and if nothing is, what it means. */

import { parseMac } from '../../address/mac.ts';
import { type Prefix, parsePrefix } from '../../address/prefix.ts';
import type { VmName } from '../../ipc/config/vm-name.ts';
import { commandLineOf } from './command-line.ts';
import { type Fault, inOrder } from './fault.ts';
import { addressFaults } from './faults/address-faults.ts';
import { bootFaults } from './faults/boot-faults.ts';
import { callPolicyFaults } from './faults/call-policy-faults.ts';
import { commandLineFaults } from './faults/command-line-faults.ts';
import { forwardFaults } from './faults/forward-faults.ts';
import { nameFaults } from './faults/name-faults.ts';
import { networkPolicyFaults } from './faults/network-policy-faults.ts';
import { pairFaults } from './faults/pair-faults.ts';
import { relayFaults } from './faults/relay-faults.ts';
import { vifFaults } from './faults/vif-faults.ts';
import { xlConfigFaults } from './faults/xl-config-faults.ts';
import { levelsOf } from './levels.ts';
import type { Mesh, Vm } from './mesh.ts';
import type { MeshVm } from './mesh-file.ts';
import { type Subsets, subsetsFor } from './policy-subset.ts';
import { listersOf, readersOf } from './readers.ts';
import { needsOf, pairsOf } from './relations.ts';
import type { Sources } from './sources.ts';

const faultsOf = (sources: Sources, subsets: Subsets): readonly Fault[] => [
  ...nameFaults(sources.mesh),
  ...addressFaults(sources.mesh),
  ...forwardFaults(sources.mesh),
  ...pairFaults(sources.mesh),
  ...bootFaults(sources.mesh),
  ...vifFaults(sources.mesh),
  ...relayFaults(sources.mesh),
  ...xlConfigFaults(sources),
  ...networkPolicyFaults(sources),
  ...callPolicyFaults(sources, subsets),
  ...commandLineFaults(sources, subsets),
];

/** Of names, addresses and files in which no fault was found. */
const meshOf = ({ mesh, files }: Sources, subsets: Subsets): Mesh => {
  const levels = levelsOf(mesh);
  const readers = readersOf(mesh);
  const named = (names: readonly string[]): readonly VmName[] => names as readonly VmName[];
  const textOf = (file: string | undefined): string | undefined => {
    const source = file === undefined ? undefined : files.get(file);
    return source && 'text' in source ? source.text : undefined;
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
    pairs: pairsOf(mesh) as Mesh['pairs'],
    listers: named(listersOf(mesh)),
  };
};

export type Checked = {
  /** In the order of the file's lines. */
  readonly faults: readonly Fault[];
  /** Undefined if one of them is an error. */
  readonly mesh: Mesh | undefined;
};

export const checkMesh = (sources: Sources): Checked => {
  const { mesh, policy } = sources;
  const subsets = subsetsFor(policy === undefined ? [] : mesh.vms.keys(), policy?.rules ?? []);
  const faults = inOrder(faultsOf(sources, subsets), mesh.file);
  const isSound = faults.every(({ is }) => is === 'warning');
  return { faults, mesh: isSound ? meshOf(sources, subsets) : undefined };
};
