/** Keeps a peer for each link that the configuration lists. */
import type { Logger } from 'pino';
import type { Clock } from '../../system/clock.ts';
import type { LinkConfig } from '../config/kernel-command-line.ts';
import type { VmName } from '../config/vm-name.ts';
import { type ConfiguredLinks, type LinkChange, linkChanges, listedIn } from './link-changes.ts';
import type { Role } from './peer-status.ts';
import { mostWatches, type PeerTable } from './peer-table.ts';
import type { UnlistedPeers } from './unlisted-peers.ts';

/** The interval of checks whether a link that is to be closed still has calls. */
const idleMs = 200;

type ConfiguredPeersPorts = {
  /** This VM's name. */
  readonly self: string;
  readonly table: PeerTable;
  readonly unlisted: Pick<UnlistedPeers, 'keepWhileNamed' | 'serveEveryone'>;
  readonly clock: Clock;
  readonly log: Logger;
};

export type ConfiguredPeers = {
  /**
   * Applies a configuration. Resolves when the links that it no longer lists are closed.
   * But the link with the previous relay stays until it has no calls.
   */
  readonly configure: (links: LinkConfig) => Promise<void>;
  readonly isListed: (name: VmName, role: Role) => boolean;
};

/** No peer is configured until `configure` is called. */
export const openConfiguredPeers = (ports: ConfiguredPeersPorts): ConfiguredPeers => {
  const { self, table, unlisted, clock, log } = ports;
  let links: ConfiguredLinks = {
    listed: { server: new Set(), client: new Set() },
    servesAll: false,
    relay: undefined,
  };

  const isListed = (name: VmName, role: Role): boolean => links.listed[role].has(name);

  const dropOnceIdle = (name: VmName, role: Role): void => {
    const peer = table.get(name, role);
    const isIdle = (): boolean => !peer?.linkNow()?.statistics().streams;
    const checks = clock.every(idleMs, () => {
      if (!isIdle()) return;
      checks.cancel();
      // A new peer with the same name may have replaced this one: it must stay.
      if (!isListed(name, role) && table.get(name, role) === peer)
        void table.drop(name, role, 'this VM is no longer the relay');
    });
  };

  /** Resolves when the change is made, but does not wait for an idle link. */
  const apply = async ({ kind, name, role }: LinkChange): Promise<void> => {
    if (kind === 'add') table.add(name, role);
    else if (kind === 'keep-while-named') unlisted.keepWhileNamed(name, role);
    else if (kind === 'drop-once-idle') dropOnceIdle(name, role);
    else await table.drop(name, role, 'the configuration no longer lists the link');
  };

  return {
    configure: async ({ serve, connect, relay }) => {
      const before = links;
      const listed = listedIn({ serve, connect, relay }, self);
      links = { listed, servesAll: serve.everyone, relay };
      const peers = { server: table.names('server'), client: table.names('client') };
      const applied = linkChanges(before, links, peers).map(apply);
      if (table.watches() > mostWatches) {
        const hint = 'raise it for this VM (xenstored -W, oxenstored.conf: quota-maxwatch)';
        log.warn(
          `the links need ${table.watches()} xenstore watches; the default quota is 128 (oxenstored: 100): ${hint}`,
        );
      }
      unlisted.serveEveryone(serve.everyone);
      await Promise.all(applied);
    },
    isListed,
  };
};
