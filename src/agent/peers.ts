/** All VMs with which there is a link, or should be. */
import { filter, firstValueFrom, Subject, take } from 'rxjs';
import type { AgentConfig } from '../config/agent-config.ts';
import { isVmName, type VmName } from '../config/vm-name.ts';
import type { Mux } from '../protocol/mux.ts';
import { knockers } from './knockers.ts';
import { openPeer, type Peer, type PeerPorts } from './peer.ts';
import type { PeerStatus, Role } from './peer-status.ts';

/**
 * What can be watched safely: xenstored allows a domain 128 watches and oxenstored 100, the kernel's frontends need
 * some, and the kernel ends a connection that asks for one too many.
 */
const mostWatches = 70;
const watchesOf: Readonly<Record<Role, number>> = { server: 1, client: 2 };

/** How long a call waits for a link: both ends being up, it is there within one second. */
const linkWithinMs = 10_000;

export type Peers = {
  /**
   * The link with a VM, which is asked for if nobody has until now.
   * Rejects with an Error that says why there is none.
   */
  readonly reach: (name: string, signal: AbortSignal) => Promise<Mux>;
  readonly status: () => readonly PeerStatus[];
  readonly close: () => Promise<void>;
};

export const openPeers = (ports: PeerPorts, config: AgentConfig): Peers => {
  const { store, names, self, log, fail } = ports;
  const peers: Record<Role, Map<VmName, Peer>> = { server: new Map(), client: new Map() };
  const freed = new Subject<void>();
  const refused = new Set<VmName>();

  const watches = (): number =>
    peers.server.size * watchesOf.server + peers.client.size * watchesOf.client;

  const add = (name: VmName, role: Role): Peer => {
    const peer = openPeer(ports, name, role);
    peers[role].set(name, peer);
    return peer;
  };

  for (const name of config.serve.names) add(name, 'server');
  for (const name of config.connect) add(name, 'client');
  if (watches() > mostWatches) {
    const hint = 'raise them for this VM (xenstored -W, oxenstored.conf: quota-maxwatch)';
    log.warn(`the VMs that are listed need ${watches()} watches, of 100 or 128 in all: ${hint}`);
  }

  /** For as long as the VM has its name. Undefined if there are too many already. */
  const addUnlisted = (name: VmName, role: Role): Peer | undefined => {
    if (watches() + watchesOf[role] > mostWatches) return undefined;
    const peer = add(name, role);
    const gone = names.domainOf(name).pipe(
      filter((domain) => domain === 'unknown'),
      take(1),
    );
    gone.subscribe({
      next: () => {
        peers[role].delete(name);
        void peer.close();
        freed.next();
      },
      error: fail,
    });
    return peer;
  };

  const welcome = (name: VmName): void => {
    if (peers.server.has(name) || addUnlisted(name, 'server') !== undefined) return;
    if (refused.has(name)) return;
    refused.add(name);
    log.warn({ peer: name }, 'not served: too many VMs are, for what xenstore allows');
  };
  const strangers = config.serve.everyone
    ? knockers(store, names, self.domid, freed).subscribe({ next: welcome, error: fail })
    : undefined;

  const known = (name: VmName): readonly Peer[] =>
    [peers.client.get(name), peers.server.get(name)].filter((peer) => peer !== undefined);

  /** Throws an Error. */
  const findOrAdd = async (name: VmName): Promise<readonly Peer[]> => {
    const found = known(name);
    if (found.length > 0) return found;
    const domain = await firstValueFrom(names.domainOf(name));
    if (domain === 'unknown') throw new Error(`/ipc/domain-map has no VM called ${name}`);
    // Somebody else may have had the same thought meanwhile.
    const peer = peers.client.get(name) ?? addUnlisted(name, 'client');
    if (peer === undefined) throw new Error('too many VMs that ipc_connect does not list');
    return [peer];
  };

  const all = (): readonly Peer[] => Object.values(peers).flatMap((some) => [...some.values()]);

  return {
    reach: async (name, signal) => {
      if (!isVmName(name)) throw new Error('not the name of a VM');
      if (name === self.name) throw new Error('a VM does not call itself');
      const found = await findOrAdd(name);
      // Nearly always: what follows costs more than all else of a short call.
      const links = found.map((peer) => peer.linkNow());
      const link = links.find((one) => one !== undefined);
      if (link !== undefined) return link;
      const enough = new AbortController();
      const late = AbortSignal.timeout(linkWithinMs);
      try {
        const given = AbortSignal.any([signal, late, enough.signal]);
        return await Promise.any(found.map((peer) => peer.link(given)));
      } catch {
        const why = found.map((peer) => peer.status().trouble).find((text) => text !== null);
        throw new Error(`there is no link with ${name}: ${why ?? 'its agent does not answer'}`);
      } finally {
        enough.abort();
      }
    },
    status: () => all().map((peer) => peer.status()),
    close: async () => {
      strangers?.unsubscribe();
      await Promise.all(all().map((peer) => peer.close()));
    },
  };
};
