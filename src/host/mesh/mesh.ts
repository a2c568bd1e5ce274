/** A mesh in which nothing is wrong. */

import type { Prefix } from '../../address/prefix.ts';
import type { VmName } from '../../ipc/config/vm-name.ts';
import type { Uplink } from '../../network/config/config.ts';

export type Vm = {
  readonly name: VmName;
  /** Those of one level may start at the same time; level 0 starts first. */
  readonly level: number;
  readonly needs: readonly VmName[];
  /** Who may read its domid. */
  readonly readers: readonly VmName[];
  /** The user's part of its xl configuration. */
  readonly config: string;
  /** Of the kernel, whole. */
  readonly commandLine: string;
  /** Of its vif; none without one. */
  readonly addresses: readonly Prefix[];
  readonly mac: string | undefined;
  /** Its file in net-vm's rules.d, if it has one. */
  readonly network: string | undefined;
  /** Its part of the central call policy, if there is one. */
  readonly policy: { readonly text: string; readonly hash: string } | undefined;
};

export type Net = Uplink & { readonly vm: VmName };

export type Mesh = {
  readonly net: Net | undefined;
  /** In the order in which they start. */
  readonly vms: readonly Vm[];
  readonly pairs: readonly { readonly server: VmName; readonly client: VmName }[];
  /** Who may list the names of all. */
  readonly listers: readonly VmName[];
};
