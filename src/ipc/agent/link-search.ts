/** Finds the link with a VM for a call, and waits for it if it is not up. */
import { firstValueFrom } from 'rxjs';
import type { Clock } from '../../system/clock.ts';
import type { VmName } from '../config/vm-name.ts';
import type { Mux } from '../protocol/mux.ts';
import type { DomainMap } from './domain-map.ts';
import type { Peer } from './peer.ts';

/** The longest time that a call waits for a link. If both agents run, the link is up within one second. */
const linkWithinMs = 10_000;

/** The shortest time between searches for a direct link with a relayed VM: each search reads xenstore. */
const seekMs = 1_000;

type LinkSearchPorts = {
  /** This VM's name. */
  readonly self: string;
  /** The VM's peers. */
  readonly peersOf: (name: VmName) => readonly Peer[];
  /** Returns the peer that this VM is the client of, and adds it if there is none; undefined: no room. */
  readonly addClient: (name: VmName) => Peer | undefined;
  readonly domainOf: DomainMap['domainOf'];
  readonly clock: Clock;
};

export type LinkSearch = {
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
};

/** The first link that is up. Nearly every call finds one here, and avoids the wait, which is costly. */
const firstLink = (peers: readonly Peer[]): Mux | undefined => {
  for (const peer of peers) {
    const link = peer.linkNow();
    if (link !== undefined) return link;
  }
  return undefined;
};

/**
 * Resolves with the first of the peers' links that is up.
 * @throws Error that says why none is, when the signal is aborted or the time is over
 */
const linkOf = async (
  name: VmName,
  peers: readonly Peer[],
  signal: AbortSignal,
  clock: Clock,
): Promise<Mux> => {
  const link = firstLink(peers);
  if (link !== undefined) return link;
  const enough = new AbortController();
  const late = clock.after(linkWithinMs, () => enough.abort()).unref();
  try {
    const given = AbortSignal.any([signal, enough.signal]);
    return await Promise.any(peers.map((peer) => peer.link(given)));
  } catch {
    const why = peers.map((peer) => peer.status().trouble).find((text) => text !== null);
    throw new Error(`there is no link with ${name}: ${why ?? 'its agent does not answer'}`);
  } finally {
    late.cancel();
    enough.abort();
  }
};

export const openLinkSearch = (ports: LinkSearchPorts): LinkSearch => {
  const { self, peersOf, addClient, domainOf, clock } = ports;
  const sought = new Set<VmName>();

  /**
   * Returns the VM's peers, and adds the VM as a peer if there are none.
   * @throws Error if the name is unknown, or too many links are open
   */
  const findOrAdd = async (name: VmName): Promise<readonly Peer[]> => {
    const found = peersOf(name);
    if (found.length > 0) return found;
    const domain = await firstValueFrom(domainOf(name));
    if (domain === 'unknown') throw new Error(`VM ${name} is not in /ipc/domain-map`);
    // Another call may have added the peer meanwhile.
    const peer = addClient(name);
    if (peer === undefined)
      throw new Error(
        'too many links with VMs that ipc_connect does not list: xenstore watch quota would be exceeded',
      );
    return [peer];
  };

  const find = async (name: VmName): Promise<readonly Peer[]> => {
    const found = peersOf(name);
    if (found.length === 0) throw new Error(`${self} has no link with ${name}`);
    return found;
  };

  const linkFrom = async (name: VmName, signal: AbortSignal, search: typeof find): Promise<Mux> => {
    const found = await search(name);
    try {
      return await linkOf(name, found, signal, clock);
    } catch (error) {
      // If the peers were closed meanwhile, new peers may have replaced them.
      if (signal.aborted || found.every((peer) => peersOf(name).includes(peer))) throw error;
      return await linkFrom(name, signal, search);
    }
  };

  return {
    linkNow: (name) => firstLink(peersOf(name)),
    reach: (name, signal) => linkFrom(name, signal, findOrAdd),
    linkWith: (name, signal) => linkFrom(name, signal, find),
    seek: (name) => {
      if (peersOf(name).length > 0 || sought.has(name)) return;
      sought.add(name);
      clock.after(seekMs, () => sought.delete(name)).unref();
      // The link is for later calls: the current one goes over the relay.
      findOrAdd(name).catch(() => {});
    },
  };
};
