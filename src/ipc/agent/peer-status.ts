/** The states of links and peers that `vifwatch peers` shows. */
import type { Domid } from '../../address/domid.ts';
import type { VmName } from '../config/vm-name.ts';

/** This VM's end of the vchan. Both ends can make calls. */
export type Role = 'server' | 'client';

export type LinkStatus = {
  readonly name: VmName;
  readonly domid: Domid | null;
  readonly role: Role;
  /** `unknown`: dom0's map does not have the name. `ambiguous`: the domain has a second name in the map. */
  readonly state: 'unknown' | 'ambiguous' | 'waiting' | 'up';
  /** The start of the state, in ISO 8601. */
  readonly since: string;
  /** The xenstore directory where the link was offered. */
  readonly path: string | null;
  /** The reason why there is no link, as far as this end knows. */
  readonly trouble: string | null;
  /** Calls under way, in both directions. */
  readonly streams: number;
  /** The bytes of all links with this VM since the agent started, including headers. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The last ping's round trip. */
  readonly rttMs: number | null;
  /** The number of times that the link came up again. */
  readonly reconnects: number;
};

export type PeerStatus = LinkStatus & {
  /** The path that a call to the VM would take now; null if there is none. */
  readonly route: 'direct' | 'relay' | null;
};

/** The document that `vifwatch peers --json` prints. */
export type PeersDocument = {
  readonly peers: readonly PeerStatus[];
  /** The relay for calls to VMs without a link; null if this VM has no relay, or is a relay. */
  readonly relay: VmName | null;
  /** The calls that this VM relays now; null if it is not a relay and relays none. */
  readonly relayed: number | null;
};
