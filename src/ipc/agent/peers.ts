/** All peers: the VMs with which this VM has a link, or looks for one. */
import { filter, firstValueFrom, interval, Subject, type Subscription, take } from 'rxjs';
import type { LinkConfig } from '../config/kernel-command-line.ts';
import type { VmName } from '../config/vm-name.ts';
import type { Mux } from '../protocol/mux.ts';
import { linkRequests } from './link-requests.ts';
import { type Listed, listedIn } from './listed-links.ts';
import { openPeer, type Peer, type PeerPorts } from './peer.ts';
import type { LinkStatus, Role } from './peer-status.ts';

/**
 * The agent adds unlisted peers up to this number of watches in total. By default xenstored allows a domain
 * 128 watches, and oxenstored 100. The kernel's frontends need some. The kernel ends a connection that
 * exceeds the quota.
 */
const mostWatches = 70;
const watchesOf: Readonly<Record<Role, number>> = { server: 1, client: 2 };

/** The longest time that a call waits for a link. If both agents run, the link is up within one second. */
const linkWithinMs = 10_000;

/** The shortest time between searches for a direct link with a relayed VM: each search reads xenstore. */
const seekMs = 1_000;

/** The interval of checks whether a link that is to be closed still has calls. */
const idleMs = 200;

export type Peers = {
  readonly linkNow: (name: VmName) => Mux | undefined;
  /**
   * Resolves with the link to a VM, and first adds the VM as a peer if it is not one.
   * Rejects with an Error that says why there is no link.
   */
  readonly reach: (name: VmName, signal: AbortSignal) => Promise<Mux>;
  /** Like `reach`, but rejects if the VM is not a peer. */
  readonly linkWith: (name: VmName, signal: AbortSignal) => Promise<Mux>;
  /** Adds the VM as a peer if it is not one, and does not wait for the link. */
  readonly seek: (name: VmName) => void;
  /**
   * Applies a configuration. Resolves when the links that it no longer lists are closed.
   * But the link with the previous relay stays until it has no calls.
   */
  readonly configure: (links: LinkConfig) => Promise<void>;
  readonly status: () => readonly LinkStatus[];
  readonly close: () => Promise<void>;
};

/** Opens the set of peers, which is empty until `configure` is called. */
export const openPeers = (ports: PeerPorts): Peers => {
  const { store, names, self, log, fail } = ports;
  const peers: Record<Role, Map<VmName, Peer>> = { server: new Map(), client: new Map() };
  const freed = new Subject<void>();
  const refused = new Set<VmName>();
  const sought = new Set<VmName>();
  let listed: Listed = { server: new Set(), client: new Set() };
  let relay: VmName | undefined;
  let unlistedRequests: Subscription | undefined;

  const watches = (): number =>
    peers.server.size * watchesOf.server + peers.client.size * watchesOf.client;

  const add = (name: VmName, role: Role): Peer => {
    const peer = openPeer(ports, name, role);
    peers[role].set(name, peer);
    return peer;
  };

  const drop = async (name: VmName, role: Role, why: string): Promise<void> => {
    const peer = peers[role].get(name);
    peers[role].delete(name);
    await peer?.close(why);
    freed.next();
  };

  const keepWhileNamed = (name: VmName, role: Role): void => {
    const gone = names.domainOf(name).pipe(
      filter((domain) => domain === 'unknown'),
      take(1),
    );
    gone.subscribe({
      next: () => {
        if (!listed[role].has(name))
          void drop(name, role, "the VM's name is no longer in /ipc/domain-map");
      },
      error: fail,
    });
  };

  const dropOnceIdle = (name: VmName, role: Role): void => {
    const peer = peers[role].get(name);
    const isIdle = (): boolean => !peer?.linkNow()?.statistics().streams;
    interval(idleMs)
      .pipe(filter(isIdle), take(1))
      .subscribe(() => {
        // A new peer with the same name may have replaced this one: it must stay.
        if (!listed[role].has(name) && peers[role].get(name) === peer)
          void drop(name, role, 'this VM is no longer the relay');
      });
  };

  /** Adds a peer until its name leaves the domain map. Returns undefined if its watches exceed the limit. */
  const addUnlisted = (name: VmName, role: Role): Peer | undefined => {
    if (watches() + watchesOf[role] > mostWatches) return undefined;
    const peer = add(name, role);
    keepWhileNamed(name, role);
    return peer;
  };

  const serveUnlisted = (name: VmName): void => {
    if (peers.server.has(name) || addUnlisted(name, 'server') !== undefined) return;
    if (refused.has(name)) return;
    refused.add(name);
    log.warn({ peer: name }, 'not serving this VM: xenstore watch quota would be exceeded');
  };

  const configure = async (links: LinkConfig): Promise<void> => {
    const [before, relayBefore] = [listed, relay];
    relay = links.relay;
    listed = listedIn(links, self.name);
    const closed: Promise<void>[] = [];
    for (const role of ['server', 'client'] as const) {
      for (const name of listed[role]) if (!peers[role].has(name)) add(name, role);
      const servesAll = role === 'server' && links.serve.everyone;
      // If the configuration does not serve everyone, unlisted served peers end too.
      // Unlisted client peers stay: calls have added them.
      const fixed = role === 'server' && !servesAll ? peers.server.keys() : before[role];
      for (const name of [...fixed].filter((served) => !listed[role].has(served))) {
        if (servesAll) keepWhileNamed(name, role);
        else if (name === relayBefore) dropOnceIdle(name, role);
        else closed.push(drop(name, role, 'the configuration no longer lists the link'));
      }
    }
    if (watches() > mostWatches) {
      const hint = 'raise it for this VM (xenstored -W, oxenstored.conf: quota-maxwatch)';
      log.warn(
        `the links need ${watches()} xenstore watches; the default quota is 128 (oxenstored: 100): ${hint}`,
      );
    }
    if (!links.serve.everyone) unlistedRequests?.unsubscribe();
    else if (unlistedRequests === undefined || unlistedRequests.closed)
      unlistedRequests = linkRequests(store, names, self.domid, freed).subscribe({
        next: serveUnlisted,
        error: fail,
      });
    await Promise.all(closed);
  };

  const known = (name: VmName): readonly Peer[] =>
    [peers.client.get(name), peers.server.get(name)].filter((peer) => peer !== undefined);

  /**
   * Returns the VM's peers, and adds the VM as a peer if there are none.
   * @throws Error if the name is unknown, or too many links are open
   */
  const findOrAdd = async (name: VmName): Promise<readonly Peer[]> => {
    const found = known(name);
    if (found.length > 0) return found;
    const domain = await firstValueFrom(names.domainOf(name));
    if (domain === 'unknown') throw new Error(`VM ${name} is not in /ipc/domain-map`);
    // Another call may have added the peer meanwhile.
    const peer = peers.client.get(name) ?? addUnlisted(name, 'client');
    if (peer === undefined)
      throw new Error('too many links: xenstore watch quota would be exceeded');
    return [peer];
  };

  /** The first link that is up. Nearly every call finds one here, and avoids the wait, which is costly. */
  const firstLink = (candidates: readonly Peer[]): Mux | undefined => {
    for (const peer of candidates) {
      const link = peer.linkNow();
      if (link !== undefined) return link;
    }
    return undefined;
  };

  const linkOf = async (
    name: VmName,
    found: readonly Peer[],
    signal: AbortSignal,
  ): Promise<Mux> => {
    const link = firstLink(found);
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
  };

  const linkFrom = async (
    name: VmName,
    signal: AbortSignal,
    find: () => Promise<readonly Peer[]>,
  ): Promise<Mux> => {
    const found = await find();
    try {
      return await linkOf(name, found, signal);
    } catch (error) {
      // If the peers were closed meanwhile, new peers may have replaced them.
      if (signal.aborted || found.every((peer) => known(name).includes(peer))) throw error;
      return await linkFrom(name, signal, find);
    }
  };

  const all = (): readonly Peer[] => Object.values(peers).flatMap((ofRole) => [...ofRole.values()]);

  return {
    linkNow: (name) => firstLink(known(name)),
    reach: (name, signal) => linkFrom(name, signal, () => findOrAdd(name)),
    linkWith: (name, signal) =>
      linkFrom(name, signal, async () => {
        const found = known(name);
        if (found.length === 0) throw new Error(`${self.name} has no link with ${name}`);
        return found;
      }),
    seek: (name) => {
      if (known(name).length > 0 || sought.has(name)) return;
      sought.add(name);
      setTimeout(() => sought.delete(name), seekMs).unref();
      // The link is for later calls: the current one goes over the relay.
      findOrAdd(name).catch(() => {});
    },
    configure,
    status: () => all().map((peer) => peer.status()),
    close: async () => {
      unlistedRequests?.unsubscribe();
      await Promise.all(all().map((peer) => peer.close('the agent stops')));
    },
  };
};
