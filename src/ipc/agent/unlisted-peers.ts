/** Peers that the configuration does not list. Each stays until its name leaves the domain map. */
import { filter, type Observable, type Subscription, take } from 'rxjs';
import type { VmName } from '../config/vm-name.ts';
import type { Peer, PeerPorts } from './peer.ts';
import type { Role } from './peer-status.ts';
import type { PeerTable } from './peer-table.ts';

type UnlistedPeersPorts = Pick<PeerPorts, 'domainOf' | 'log' | 'fail'> & {
  readonly table: PeerTable;
  readonly isListed: (name: VmName, role: Role) => boolean;
  /** The names of VMs that request a link; a name may repeat. */
  readonly requests: Observable<VmName>;
};

export type UnlistedPeers = {
  /** Returns the peer, and adds it if there is none. Returns undefined if its watches exceed the limit. */
  readonly findOrAdd: (name: VmName, role: Role) => Peer | undefined;
  /** Drops the peer once its name leaves the domain map, unless the configuration lists it by then. */
  readonly keepWhileNamed: (name: VmName, role: Role) => void;
  /** Starts or stops to add each VM that requests a link. */
  readonly serveEveryone: (serves: boolean) => void;
};

export const openUnlistedPeers = (ports: UnlistedPeersPorts): UnlistedPeers => {
  const { table, domainOf, isListed, requests, log, fail } = ports;
  const refused = new Set<VmName>();
  let serving: Subscription | undefined;

  const keepWhileNamed = (name: VmName, role: Role): void => {
    const gone = domainOf(name).pipe(
      filter((domain) => domain === 'unknown'),
      take(1),
    );
    gone.subscribe({
      next: () => {
        if (!isListed(name, role))
          void table.drop(name, role, "the VM's name is no longer in /ipc/domain-map");
      },
      error: fail,
    });
  };

  const findOrAdd = (name: VmName, role: Role): Peer | undefined => {
    const found = table.get(name, role);
    if (found !== undefined || !table.hasRoom(role)) return found;
    const peer = table.add(name, role);
    keepWhileNamed(name, role);
    return peer;
  };

  const serve = (name: VmName): void => {
    if (findOrAdd(name, 'server') !== undefined || refused.has(name)) return;
    refused.add(name);
    log.warn({ peer: name }, 'not serving this VM: xenstore watch quota would be exceeded');
  };

  return {
    findOrAdd,
    keepWhileNamed,
    serveEveryone: (serves) => {
      if (!serves) serving?.unsubscribe();
      else if (serving === undefined || serving.closed)
        serving = requests.subscribe({ next: serve, error: fail });
    },
  };
};
