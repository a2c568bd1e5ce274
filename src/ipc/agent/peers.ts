/** All peers: the VMs with which this VM has a link, or looks for one. */
import { interval } from 'rxjs';
import { type ConfiguredPeers, openConfiguredPeers } from './configured-peers.ts';
import { linkRequests } from './link-requests.ts';
import { type LinkSearch, openLinkSearch } from './link-search.ts';
import { openPeer, type PeerPorts } from './peer.ts';
import type { LinkStatus } from './peer-status.ts';
import { openPeerTable } from './peer-table.ts';
import { openUnlistedPeers } from './unlisted-peers.ts';

export type Peers = LinkSearch & {
  readonly configure: ConfiguredPeers['configure'];
  readonly status: () => readonly LinkStatus[];
  readonly close: () => Promise<void>;
};

/** Opens the set of peers, which is empty until `configure` is called. */
export const openPeers = (ports: PeerPorts): Peers => {
  const { store, names, self, log, fail } = ports;
  const table = openPeerTable((name, role) => openPeer(ports, name, role));
  const unlisted = openUnlistedPeers({
    table,
    domainOf: names.domainOf,
    isListed: (name, role) => configured.isListed(name, role),
    requests: linkRequests(store, names, self.domid, table.dropped),
    log,
    fail,
  });
  const configured = openConfiguredPeers({
    self: self.name,
    table,
    unlisted,
    every: interval,
    log,
  });
  const search = openLinkSearch({
    self: self.name,
    peersOf: table.named,
    addClient: (name) => unlisted.findOrAdd(name, 'client'),
    domainOf: names.domainOf,
    timeout: (ms) => AbortSignal.timeout(ms),
    after: (ms, run) => void setTimeout(run, ms).unref(),
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
