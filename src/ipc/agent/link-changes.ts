/** The peers that must change when the configuration does. */

import type { LinkConfig } from '../config/kernel-command-line.ts';
import type { VmName } from '../config/vm-name.ts';
import type { Role } from './peer-status.ts';

export type Listed = Readonly<Record<Role, ReadonlySet<VmName>>>;

/**
 * Lists the configured peers. The relay is one of them: this VM is its client, unless it already serves the
 * relay.
 * @param self this VM's name, which may be the relay's
 */
export const listedIn = (
  { serve, connect, relay }: LinkConfig,
  self: string | undefined,
): Listed => {
  const server = new Set(serve.names);
  const isAsked = relay !== undefined && relay !== self && !server.has(relay);
  return { server, client: new Set(isAsked ? [...connect, relay] : connect) };
};

export type ConfiguredLinks = {
  readonly listed: Listed;
  /** Whether the VM serves unlisted VMs too. */
  readonly servesAll: boolean;
  readonly relay: VmName | undefined;
};

export type LinkChange = {
  readonly kind: 'add' | 'keep-while-named' | 'drop-once-idle' | 'drop';
  readonly name: VmName;
  readonly role: Role;
};

/**
 * Compares two configurations. A link that is no longer listed ends, with two exceptions: a served VM stays
 * a peer if the VM now serves everyone, and the previous relay stays until it has no calls.
 * @param peers the names of the open peers
 */
export const linkChanges = (
  before: ConfiguredLinks,
  after: ConfiguredLinks,
  peers: Listed,
): readonly LinkChange[] =>
  (['server', 'client'] as const).flatMap((role) => {
    const listed = after.listed[role];
    const servesAll = role === 'server' && after.servesAll;
    // If the configuration does not serve everyone, unlisted served peers end too.
    // Unlisted client peers stay: calls have added them.
    const fixed = role === 'server' && !servesAll ? peers.server : before.listed[role];
    const endOf = (name: VmName): LinkChange['kind'] => {
      if (servesAll) return 'keep-while-named';
      return name === before.relay ? 'drop-once-idle' : 'drop';
    };
    const added = [...listed].filter((name) => !peers[role].has(name));
    const unlisted = [...fixed].filter((name) => !listed.has(name));
    return [
      ...added.map((name): LinkChange => ({ kind: 'add', name, role })),
      ...unlisted.map((name): LinkChange => ({ kind: endOf(name), name, role })),
    ];
  });
