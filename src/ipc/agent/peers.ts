/** All peers: the VMs with which this VM has a link, or looks for one. */
import { systemClock } from '../../system/clock.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import { clientRendezvous } from './client-rendezvous.ts';
import { type ConfiguredPeers, openConfiguredPeers } from './configured-peers.ts';
import type { DomainMap } from './domain-map.ts';
import { linkRequests } from './link-requests.ts';
import { type LinkSearch, openLinkSearch } from './link-search.ts';
import { openPeer, type PeerPorts } from './peer.ts';
import type { LinkStatus } from './peer-status.ts';
import { openPeerTable } from './peer-table.ts';
import { serverRendezvous } from './server-rendezvous.ts';
import { openUnlistedPeers } from './unlisted-peers.ts';

type PeersPorts = Omit<PeerPorts, 'domainOf' | 'rendezvous'> & {
  readonly store: Xenstore;
  readonly names: DomainMap;
};

export type Peers = LinkSearch & {
  readonly configure: ConfiguredPeers['configure'];
  readonly status: () => readonly LinkStatus[];
  readonly close: () => Promise<void>;
};

/** Opens the set of peers, which is empty until `configure` is called. */
export const openPeers = (ports: PeersPorts): Peers => {
  const { store, names, self, log, onCall, fail } = ports;
  const { domainOf } = names;
  const rendezvous: PeerPorts['rendezvous'] = (role, domid, report) =>
    role === 'server'
      ? serverRendezvous(store, { server: self.domid, client: domid }, report)
      : clientRendezvous(store, { server: domid, client: self.domid }, report);
  const peerPorts = { domainOf, rendezvous, self, log, onCall, fail };
  const table = openPeerTable((name, role) => openPeer(peerPorts, name, role));
  const unlisted = openUnlistedPeers({
    table,
    domainOf,
    isListed: (name, role) => configured.isListed(name, role),
    requests: linkRequests(store, names, self.domid, table.dropped),
    log,
    fail,
  });
  const configured = openConfiguredPeers({
    self: self.name,
    table,
    unlisted,
    clock: systemClock,
    log,
  });
  const search = openLinkSearch({
    self: self.name,
    peersOf: table.named,
    addClient: (name) => unlisted.findOrAdd(name, 'client'),
    domainOf,
    clock: systemClock,
  });
  return {
    ...search,
    configure: configured.configure,
    status: () => table.all().map((peer) => peer.status()),
    close: async () => {
      unlisted.serveEveryone(false);
      await Promise.all(table.all().map((peer) => peer.close('the agent stops')));
    },
  };
};
