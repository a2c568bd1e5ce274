/** All VMs with which there is a link, or should be. */
import { filter, firstValueFrom, interval, Subject, type Subscription, take } from 'rxjs';
import type { LinkConfig } from '../config/kernel-command-line.ts';
import type { VmName } from '../config/vm-name.ts';
import type { Mux } from '../protocol/mux.ts';
import { linkRequests } from './link-requests.ts';
import { type Listed, listedIn } from './listed-links.ts';
import { openPeer, type Peer, type PeerPorts } from './peer.ts';
import type { LinkStatus, Role } from './peer-status.ts';

/**
 * What can be watched safely: xenstored allows a domain 128 watches and oxenstored 100, the kernel's frontends need
 * some, and the kernel ends a connection that asks for one too many.
 */
const mostWatches = 70;
const watchesOf: Readonly<Record<Role, number>> = { server: 1, client: 2 };

/** How long a call waits for a link: both ends being up, it is there within one second. */
const linkWithinMs = 10_000;

/** How often a VM is looked for that calls reach by way of a relay: each look asks xenstored. */
const seekMs = 1_000;

/** How often a link that is to be closed is looked at for calls. */
const idleMs = 200;

export type Peers = {
  readonly linkNow: (name: VmName) => Mux | undefined;
  /**
   * The link with a VM, which is asked for if nobody has until now.
   * Rejects with an Error that says why there is none.
   */
  readonly reach: (name: VmName, signal: AbortSignal) => Promise<Mux>;
  /** As `reach`, but asks for none. */
  readonly linkWith: (name: VmName, signal: AbortSignal) => Promise<Mux>;
  /** Asks for a link, if nobody has, and does not wait for it. */
  readonly seek: (name: VmName) => void;
  /**
   * Links are with whom `pairs` says from now on. Resolves when those it says nothing of are closed; but one with the
   * relay that there was stays until no call is left on it.
   */
  readonly configure: (links: LinkConfig) => Promise<void>;
  readonly status: () => readonly LinkStatus[];
  readonly close: () => Promise<void>;
};

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
        if (!listed[role].has(name)) void drop(name, role, 'the VM has no name any more');
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
        // Meanwhile there may be another one, who is none of this one's affairs.
        if (!listed[role].has(name) && peers[role].get(name) === peer)
          void drop(name, role, 'it is no relay any more');
      });
  };

  /** For as long as the VM has its name. Undefined if there are too many already. */
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
    log.warn({ peer: name }, 'not served: too many VMs are, for what xenstore allows');
  };

  const configure = async (links: LinkConfig): Promise<void> => {
    const [before, relayBefore] = [listed, relay];
    relay = links.relay;
    listed = listedIn(links, self.name);
    const closed: Promise<void>[] = [];
    for (const role of ['server', 'client'] as const) {
      for (const name of listed[role]) if (!peers[role].has(name)) add(name, role);
      const servesAll = role === 'server' && links.serve.everyone;
      // Those that nobody has listed were served with everybody, or called.
      const fixed = role === 'server' && !servesAll ? peers.server.keys() : before[role];
      for (const name of [...fixed].filter((served) => !listed[role].has(served))) {
        if (servesAll) keepWhileNamed(name, role);
        else if (name === relayBefore) dropOnceIdle(name, role);
        else closed.push(drop(name, role, 'the configuration does not list the link any more'));
      }
    }
    if (watches() > mostWatches) {
      const hint = 'raise them for this VM (xenstored -W, oxenstored.conf: quota-maxwatch)';
      log.warn(`the VMs that are listed need ${watches()} watches, of 100 or 128 in all: ${hint}`);
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

  /** Nearly always there is one: what comes otherwise costs more than all else of a short call. */
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
      // Others may stand in their place, if they were closed meanwhile.
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
      // It is for later calls; this one has another way.
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
