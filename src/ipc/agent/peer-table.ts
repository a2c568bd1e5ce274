/** The open peers, by role and name. A VM may be a peer in both roles. */
import { type Observable, Subject } from 'rxjs';
import type { VmName } from '../config/vm-name.ts';
import type { Peer } from './peer.ts';
import type { Role } from './peer-status.ts';

/**
 * The agent adds unlisted peers up to this number of watches in total. By default xenstored allows a domain
 * 128 watches, and oxenstored 100. The kernel's frontends need some. The kernel ends a connection that
 * exceeds the quota.
 */
export const mostWatches = 70;
const watchesOf: Readonly<Record<Role, number>> = { server: 1, client: 2 };

export type PeerTable = {
  readonly get: (name: VmName, role: Role) => Peer | undefined;
  readonly names: (role: Role) => ReadonlySet<VmName>;
  /** The VM's peers, the client first. */
  readonly named: (name: VmName) => readonly Peer[];
  readonly all: () => readonly Peer[];
  /** The number of xenstore watches that the peers use. */
  readonly watches: () => number;
  /** Whether one more peer keeps the watches within the limit. */
  readonly hasRoom: (role: Role) => boolean;
  /** Opens a peer. The caller has checked that the table has none with this name and role. */
  readonly add: (name: VmName, role: Role) => Peer;
  /** Removes the peer if there is one, and resolves when it is closed. */
  readonly drop: (name: VmName, role: Role, why: string) => Promise<void>;
  /** Emits at the end of each drop. */
  readonly dropped: Observable<void>;
};

export const openPeerTable = (open: (name: VmName, role: Role) => Peer): PeerTable => {
  const peers: Record<Role, Map<VmName, Peer>> = { server: new Map(), client: new Map() };
  const dropped = new Subject<void>();

  const watches = (): number =>
    peers.server.size * watchesOf.server + peers.client.size * watchesOf.client;

  return {
    get: (name, role) => peers[role].get(name),
    names: (role) => new Set(peers[role].keys()),
    named: (name) =>
      [peers.client.get(name), peers.server.get(name)].filter((peer) => peer !== undefined),
    all: () => Object.values(peers).flatMap((ofRole) => [...ofRole.values()]),
    watches,
    hasRoom: (role) => watches() + watchesOf[role] <= mostWatches,
    add: (name, role) => {
      const peer = open(name, role);
      peers[role].set(name, peer);
      return peer;
    },
    drop: async (name, role, why) => {
      const peer = peers[role].get(name);
      peers[role].delete(name);
      await peer?.close(why);
      dropped.next();
    },
    dropped,
  };
};
