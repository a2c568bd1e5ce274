/** The peers that must change when the configuration does. */
import type { VmName } from '../config/vm-name.ts';
import type { Listed } from './listed-links.ts';
import type { Role } from './peer-status.ts';

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
