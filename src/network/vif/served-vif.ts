/** The settings with which vifwatch serves a vif. */
import type { Prefix } from '../../address/prefix.ts';
import type { VmPolicy } from '../policy/policy-chain.ts';
import type { BackendVif, VifFacts } from './backend-vif.ts';

type Ids = Pick<BackendVif, 'key' | 'domid' | 'devid'>;
type Checked = Pick<VifFacts, 'defaultLink' | 'link' | 'mac'>;

/** A vif that vifwatch serves, or will serve once its link exists. */
export type ServedVif = Ids &
  Checked & {
    /** The VM's name; undefined for a VM without one. */
    readonly name: string | undefined;
    readonly prefixes: readonly Prefix[];
    /** Whether net-vm speaks IPv6 on the link: the vif has an IPv6 address, and net-vm has IPv6. */
    readonly hasIpv6: boolean;
    /** False while the addresses are routed to another vif of the same VM. */
    readonly routed: boolean;
    /** Bytes; undefined leaves the link's MTU as it is. */
    readonly mtu: number | undefined;
    readonly policy: VmPolicy;
  };
