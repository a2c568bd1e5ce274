/** The settings with which vifwatch serves a vif. */
import type { Domid } from '../../address/domid.ts';
import type { Mac } from '../../address/mac.ts';
import type { Prefix } from '../../address/prefix.ts';
import type { VmPolicy } from '../policy/vm-policy.ts';
import type { VifKey } from './backend-vif.ts';

/** A vif that vifwatch serves, or will serve once its link exists. */
export type ServedVif = {
  readonly key: VifKey;
  readonly domid: Domid;
  readonly devid: number;
  readonly defaultLink: string;
  readonly link: string;
  readonly mac: Mac;
  readonly prefixes: readonly Prefix[];
  /** False while the addresses are routed to another vif of the same VM. */
  readonly routed: boolean;
  /** Bytes; undefined leaves the link's MTU as it is. */
  readonly mtu: number | undefined;
  readonly policy: VmPolicy;
};
