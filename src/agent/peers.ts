/** All VMs with which there is a link, or should be. */
import {
  filter,
  firstValueFrom,
  ignoreElements,
  merge,
  mergeAll,
  type Observable,
  ReplaySubject,
  take,
  tap,
} from 'rxjs';
import type { AgentConfig } from '../config/agent-config.ts';
import { isVmName, type VmName } from '../config/vm-name.ts';
import type { Mux } from '../protocol/mux.ts';
import { knockers } from './knockers.ts';
import { openPeer, type Peer, type PeerPorts } from './peer.ts';
import type { PeerStatus, Role } from './peer-status.ts';

/** Of the 100 watches that oxenstored allows a domain; the kernel's frontends need some, and one too many ends us. */
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
  /** Never emits; errors when xenstore is lost. */
  readonly failures: Observable<never>;
  readonly close: () => Promise<void>;
};

export const openPeers = (
  ports: Omit<PeerPorts, 'claim' | 'disclaim'>,
  config: AgentConfig,
): Peers => {
  const { store, map, self, log } = ports;
  const peers: Record<Role, Map<VmName, Peer>> = { server: new Map(), client: new Map() };
  const claims: Record<Role, Map<VmName, number>> = { server: new Map(), client: new Map() };
  const failures = new ReplaySubject<Observable<never>>();

  const add = (name: VmName, role: Role): Peer => {
    const peer = openPeer(
      {
        ...ports,
        claim: (caller, of) => {
          for (const [other, domid] of claims[of]) {
            if (other !== caller.name && domid === caller.domid) return false;
          }
          claims[of].set(caller.name, caller.domid);
          return true;
        },
        disclaim: (gone, of) => claims[of].delete(gone),
      },
      name,
      role,
    );
    peers[role].set(name, peer);
    failures.next(peer.failures);
    return peer;
  };

  for (const name of config.serve.names) add(name, 'server');
  for (const name of config.connect) add(name, 'client');

  /** For as long as the VM has its name. Undefined if there are too many already. */
  const addUnlisted = (name: VmName, role: Role): Peer | undefined => {
    const watches = peers.server.size * watchesOf.server + peers.client.size * watchesOf.client;
    if (watches + watchesOf[role] > mostWatches) return undefined;
    const peer = add(name, role);
    map
      .domidOf(name)
      .pipe(
        filter((domid) => domid === undefined),
        take(1),
      )
      .subscribe({
        next: () => {
          peers[role].delete(name);
          void peer.close();
        },
        // The peer's own failure tells.
        error: () => {},
      });
    return peer;
  };

  const refused = new Set<VmName>();
  const strangers = config.serve.everyone
    ? [
        knockers(store, map, self.domid).pipe(
          tap((name) => {
            if (peers.server.has(name) || addUnlisted(name, 'server') !== undefined) return;
            if (refused.has(name)) return;
            refused.add(name);
            log.warn({ peer: name }, 'not served: too many VMs are, for what xenstore allows');
          }),
          ignoreElements(),
        ),
      ]
    : [];

  const known = (name: VmName): readonly Peer[] =>
    [peers.client.get(name), peers.server.get(name)].filter((peer) => peer !== undefined);

  const findOrAdd = async (name: VmName): Promise<readonly Peer[]> => {
    const found = known(name);
    if (found.length > 0) return found;
    if ((await firstValueFrom(map.domidOf(name))) === undefined)
      throw new Error(`/ipc/domain-map has no VM called ${name}`);
    // Somebody else may have had the same thought meanwhile.
    const peer = peers.client.get(name) ?? addUnlisted(name, 'client');
    if (peer === undefined) throw new Error(`too many VMs that ipc_connect does not list`);
    return [peer];
  };

  return {
    reach: async (name, signal) => {
      if (!isVmName(name)) throw new Error('not the name of a VM');
      const found = await findOrAdd(name);
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
    status: () =>
      Object.values(peers).flatMap((some) => [...some.values()].map((peer) => peer.status())),
    failures: merge(failures.pipe(mergeAll()), ...strangers),
    close: async () => {
      const all = Object.values(peers).flatMap((some) => [...some.values()]);
      await Promise.all(all.map((peer) => peer.close()));
    },
  };
};
