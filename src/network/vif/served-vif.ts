/** A vif that is served. */
import type { Prefix } from '../../address/prefix.ts';
import type { VmPolicy } from '../policy/vm-policy.ts';
import type { VifKey } from './backend-vif.ts';

/** A vif that may have the network, with the addresses it may use. */
export type ServedVif = {
  readonly key: VifKey;
  readonly domid: number;
  readonly devid: number;
  readonly defaultLink: string;
  readonly link: string;
  readonly mac: string;
  readonly prefixes: readonly Prefix[];
  /** False while the same addresses are routed to another vif of the same VM. */
  readonly routed: boolean;
  /** Bytes; undefined leaves the link's own. */
  readonly mtu: number | undefined;
  readonly policy: VmPolicy;
};
