/** A checked mesh, without errors. */

import type { Mac } from '../../address/mac.ts';
import type { Prefix } from '../../address/prefix.ts';
import type { VmName } from '../../ipc/config/vm-name.ts';
import type { Uplink } from '../../network/config/config.ts';

export type Vm = {
  readonly name: VmName;
  /** VMs of one level may start at the same time; level 0 starts first. */
  readonly level: number;
  readonly needs: readonly VmName[];
  /** The VMs that may read its entry in the domain map. */
  readonly readers: readonly VmName[];
  /** The text of the operator's xl configuration. */
  readonly config: string;
  /** The whole kernel command line. */
  readonly commandLine: string;
  /** The vif's addresses; empty for a VM without a vif. */
  readonly addresses: readonly Prefix[];
  readonly mac: Mac | undefined;
  /** The text of its file in net-vm's rules.d, if it has one. */
  readonly network: string | undefined;
  /** Its part of the central call policy, if the mesh has one. */
  readonly policy: { readonly text: string; readonly hash: string } | undefined;
};

export type Net = Uplink & { readonly vm: VmName };

export type Mesh = {
  readonly net: Net | undefined;
  /** In boot order. */
  readonly vms: readonly Vm[];
  readonly pairs: readonly { readonly server: VmName; readonly client: VmName }[];
  /** The VMs that may list the domain map. */
  readonly listers: readonly VmName[];
};
