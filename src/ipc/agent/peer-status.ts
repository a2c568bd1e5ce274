/** What `vifwatch peers` shows of one link. */
import type { VmName } from '../config/vm-name.ts';

/** What this VM's end of the vchan is; who calls whom is another matter. */
export type Role = 'server' | 'client';

export type LinkStatus = {
  readonly name: VmName;
  readonly domid: number | null;
  readonly role: Role;
  /** `unknown`: dom0's map has no such name; `ambiguous`: that domain has another one too. */
  readonly state: 'unknown' | 'ambiguous' | 'waiting' | 'up';
  /** Of the state, in ISO 8601. */
  readonly since: string;
  /** Where in xenstore the link was offered. */
  readonly path: string | null;
  /** What stands in the way of a link, as far as this end knows. */
  readonly trouble: string | null;
  /** Calls under way, in both directions. */
  readonly streams: number;
  /** Over all links with this VM since the agent was started. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Round trip of the last ping. */
  readonly rttMs: number | null;
  /** How often the link has come up again. */
  readonly reconnects: number;
};

export type PeerStatus = LinkStatus & {
  /** The way that a call to the VM takes now. */
  readonly route: 'direct' | 'relay' | null;
};

/** What `vifwatch peers --json` prints. */
export type PeersDocument = {
  readonly peers: readonly PeerStatus[];
  /** By way of whom calls go where there is no link; null if this VM has no relay, or is one. */
  readonly relay: VmName | null;
  /** Calls under way that this VM relays; null if it relays none. */
  readonly relayed: number | null;
};
